const HTTP_DATE = /^[A-Z][a-z]+, .*:\d\d GMT$/

/**
 * The delay of a Retry-After header in milliseconds from now, from seconds or an HTTP date; undefined if it is neither.
 * A date is compared with the response's own Date, since the server's clock or ours can be wrong.
 */
export function retryAfterMs (
  header: string | string[] | undefined, { date, now = Date.now() }: { date?: string | undefined, now?: number } = {}
): number | undefined {
  const text = firstOf(header)
  if (!text) return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  const at = timeOf(text)
  return at === undefined ? undefined : Math.max(0, at - (timeOf(date) ?? now))
}

function firstOf (header: string | string[] | undefined): string | undefined {
  return (Array.isArray(header) ? header[0] : header)?.trim()
}

function timeOf (text: string | undefined): number | undefined {
  const at = text && HTTP_DATE.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at) ? undefined : at
}
