/** `JSON.rawJSON` of newer runtimes: a value that is written as the text it was made of. */
interface RawJson { rawJSON: string }
interface ModernJson {
  rawJSON?: (text: string) => RawJson
  isRawJSON?: (value: unknown) => value is RawJson
}

const modern = JSON as unknown as ModernJson
/** Integers with fewer digits are exact in any case. */
const LONG_INTEGER = /^-?\d{16,}$/

/**
 * Like `JSON.parse`, but integers that a number cannot hold keep their digits: they become values that `JSON.stringify`
 * writes as they were, and `exactText` shows. Runtimes without them round, as `JSON.parse` does.
 */
export function parseExact (text: string): unknown {
  const { rawJSON } = modern
  // Most texts have no such integer, and a reviver is called for each value.
  if (!rawJSON || !/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value, context?: { source?: string }) => {
    const source = context?.source
    if (typeof value !== 'number' || source === undefined || !LONG_INTEGER.test(source)) return value
    return String(value) === source ? value : rawJSON(source)
  })
}

/** The digits of an integer that a number cannot hold; undefined for any other value. */
export function exactText (value: unknown): string | undefined {
  return modern.isRawJSON?.(value) ? value.rawJSON : undefined
}
