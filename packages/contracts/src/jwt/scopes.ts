/** What a token without a `scope` claim may do with its user's own data. */
export const USER_SCOPES = ['jobs:read', 'jobs:write', 'webhooks:read', 'webhooks:write'] as const
export const OPERATOR_WRITE = 'operator:write'

/**
 * The scopes of a token: claim `scope`, separated by spaces as in OAuth (RFC 8693), or a list as some providers write
 * it.
 */
export function scopesOf (claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter(Boolean)
  if (Array.isArray(claim)) return claim.filter(scope => typeof scope === 'string')
  return USER_SCOPES
}
