declare const isJson: unique symbol

/**
 * JSON as text. A worker's values stay text from BullMQ to each client: a parsed value would lose digits of large
 * numbers and its order of keys.
 */
export type JsonText = string & { readonly [isJson]: true }

/** A value as JSON. */
export function jsonText (value: unknown): JsonText {
  return JSON.stringify(value ?? null) as JsonText
}

/** A non-empty object as JSON, with one more member at its end whose value is JSON already. */
export function jsonWith (object: object, name: string, value: JsonText): JsonText {
  return `${JSON.stringify(object).slice(0, -1)},"${name}":${value}}` as JsonText
}

/** JSON documents as a JSON array. */
export function jsonArray (documents: readonly JsonText[]): JsonText {
  return `[${documents.join(',')}]` as JsonText
}
