import createError from '@fastify/error'
import { createVerifier } from 'fast-jwt'
import { readIssuedAt, scopesOf, userIdFault, userIdText } from '@tidings/contracts'

/**
 * A verified refresh token: `id` identifies the token, `family` all tokens of one login, `signedInAt` is the time of
 * that login in milliseconds, 0 if the token has none, `scope` the scopes of the login, undefined for all of a user.
 */
export type RefreshToken = {
  id: string
  family: string
  userId: string
  signedInAt: number
  scope: string | undefined
  expiresAt: Date
}

export const RefreshRefused = createError('REFRESH_REFUSED',
  'The refresh token is invalid or expired: sign in again', 401)

type Claims = {
  type?: unknown
  jti?: unknown
  family?: unknown
  userId?: unknown
  sub?: unknown
  iat?: unknown
  signedInAt?: unknown
  scope?: unknown
  exp: number
}
type Expected = { secret: string, issuer?: string | undefined, audience?: string | undefined, toleranceMs: number }

/**
 * Returns a function that verifies a refresh token. It throws RefreshRefused for every other token, also an access
 * token.
 */
export function refreshTokenReader (
  { secret, issuer, audience, toleranceMs }: Expected
): (token: string) => RefreshToken {
  const verify = createVerifier({
    key: secret,
    algorithms: ['HS256'],
    clockTolerance: toleranceMs,
    requiredClaims: ['exp', 'jti', 'family', ...(issuer ? ['iss'] : []), ...(audience ? ['aud'] : [])],
    ...(issuer && { allowedIss: issuer }),
    ...(audience && { allowedAud: audience })
  })

  return function readRefreshToken (token) {
    const { type, jti, family, userId: claim, sub, iat, signedInAt, scope: scopeClaim, exp } = claimsOf(token)
    const userId = userIdText(claim ?? sub)
    const { issuedAt, fault } = readIssuedAt({ iat, signedInAt }, toleranceMs)
    const isWhole = type === 'refresh' && isId(jti) && isId(family) && isDate(exp)
    if (!isWhole || fault !== undefined) throw new RefreshRefused()
    if (userId === undefined) throw Object.assign(new RefreshRefused(), { message: userIdFault(claim ?? sub) })
    const scope = scopeClaim === undefined ? undefined : scopesOf(scopeClaim).join(' ')
    return { id: jti, family, userId, signedInAt: issuedAt ?? 0, scope, expiresAt: new Date(exp * 1000) }
  }

  function claimsOf (token: string): Claims {
    try {
      return verify(token) as Claims
    } catch (cause) {
      throw Object.assign(new RefreshRefused(), { cause })
    }
  }
}

function isId (claim: unknown): claim is string {
  return typeof claim === 'string' && /^[\x21-\x7e]{1,128}$/.test(claim)
}

function isDate (seconds: number): boolean {
  return !Number.isNaN(new Date(seconds * 1000).getTime())
}
