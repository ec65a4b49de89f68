const HTTP_DATE = /^[A-Z][a-z]+, .*:\d\d GMT$/

/**
 * What a Retry-After header asks for in milliseconds from now, be it seconds or
 * an HTTP date; undefined where it is neither. A date counts from the answer's
 * own Date: the server's clock may be wrong, or ours.
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
