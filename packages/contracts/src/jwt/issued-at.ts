type Times = { iat?: unknown, signedInAt?: unknown }
type IssuedAt = { issuedAt: number | null, fault?: string }

/**
 * When a token was issued, in milliseconds, or null where it does not say. A refreshed token counts from the sign-in.
 * A time ahead of this clock counts as now: a revocation compares times of issue, and a token from the future would
 * survive every revocation. A time ahead by more than the tolerance, or that is not a number, is a fault.
 */
export function readIssuedAt ({ iat, signedInAt }: Times, toleranceMs: number, now = Date.now()): IssuedAt {
  const seconds = [iat, signedInAt].filter(time => time !== undefined)
  if (!seconds.every(isTime)) return { issuedAt: null, fault: 'Claim iat is not a time' }
  if (seconds.length === 0) return { issuedAt: null }
  if (Math.max(...seconds) * 1000 > now + toleranceMs) {
    return { issuedAt: null, fault: 'The token was issued in the future' }
  }
  return { issuedAt: Math.min(...seconds.map(time => time * 1000), now) }
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
