type Json = Record<string, unknown>

const INT32_MAX = 2_147_483_647

/** Values of these keywords are data and hold no schemas. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const'])

/**
 * A document whose integers are int64 where 32 bits may not hold them: ids, times in milliseconds, counts. Generators
 * of clients for Java, C#, Go and others read `format`, and take 32 bits where nothing is said.
 */
export function withInt64<Value> (value: Value): Value {
  if (Array.isArray(value)) return value.map(withInt64) as Value
  if (typeof value !== 'object' || value === null) return value
  const parts = Object.entries(value).map(([key, part]) => [key, DATA.has(key) ? part : withInt64(part)])
  const copy = Object.fromEntries(parts) as Json
  return (needsInt64(copy) ? { ...copy, format: 'int64' } : copy) as Value
}

function needsInt64 ({ type, format, maximum }: Json): boolean {
  const isInteger = [type].flat().includes('integer')
  return isInteger && format === undefined && !(typeof maximum === 'number' && maximum <= INT32_MAX)
}
