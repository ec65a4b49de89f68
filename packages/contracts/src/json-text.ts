declare const isJson: unique symbol

/**
 * JSON as text. What a worker wrote travels so, from BullMQ to each client:
 * a parsed value would lose digits of large numbers, and its order of keys.
 */
export type JsonText = string & { readonly [isJson]: true }

/** A value as JSON. */
export function jsonText (value: unknown): JsonText {
  return JSON.stringify(value ?? null) as JsonText
}

/** An object that has members, as JSON, with one more behind them whose value is JSON already. */
export function jsonWith (object: object, name: string, value: JsonText): JsonText {
  return `${JSON.stringify(object).slice(0, -1)},"${name}":${value}}` as JsonText
}

/** JSON documents as an array of them. */
export function jsonArray (documents: readonly JsonText[]): JsonText {
  return `[${documents.join(',')}]` as JsonText
}
