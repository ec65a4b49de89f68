type Zone = 'local' | 'utc'

/** A moment as a field of the type `datetime-local` has it: `2026-11-28T10:41`. */
export function formatInput (ms: number, zone: Zone): string {
  const shift = zone === 'utc' ? 0 : new Date(ms).getTimezoneOffset() * 60_000
  return new Date(ms - shift).toISOString().slice(0, 16)
}

/** The same as ISO 8601 in UTC; undefined where the field is empty. */
export function parseInput (text: string, zone: Zone): string | undefined {
  const ms = Date.parse(zone === 'utc' ? `${text}Z` : text)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}
