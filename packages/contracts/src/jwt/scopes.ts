/** What a token may do with the data of its own user; a token without a `scope` claim may do all of it. */
export const USER_SCOPES = ['jobs:read', 'jobs:write', 'webhooks:read', 'webhooks:write'] as const
/** What a token may do with the data of other users, whom its requests name by `userId`. */
export const OPERATOR_SCOPES = ['operator:read', 'operator:write'] as const
export const SCOPES = [...USER_SCOPES, ...OPERATOR_SCOPES] as const

export type UserScope = typeof USER_SCOPES[number]
export type OperatorScope = typeof OPERATOR_SCOPES[number]
export type Scope = typeof SCOPES[number]

/**
 * The scopes of a token: claim `scope`, separated by spaces as in OAuth (RFC 8693), or a list as some providers write
 * it. Unknown words grant nothing, and a claim of another type grants nothing at all.
 */
export function scopesOf (claim: unknown): readonly Scope[] {
  if (claim === undefined) return USER_SCOPES
  const words: unknown[] = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return SCOPES.filter(scope => words.includes(scope))
}

/** The same as bits, one for each scope: a request compares them without reading texts. */
export function scopeBits (scopes: readonly Scope[]): number {
  return scopes.reduce((bits, scope) => bits | 1 << SCOPES.indexOf(scope), 0)
}
