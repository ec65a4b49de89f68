/** What a Retry-After header asks for in milliseconds from now, be it seconds or an HTTP date; undefined where it is neither. */
export function retryAfterMs (header: string | string[] | undefined, now = Date.now()): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim()
  if (!text) return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  const date = /^[A-Z][a-z]+, .*:\d\d GMT$/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
