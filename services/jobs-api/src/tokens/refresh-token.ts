import createError from '@fastify/error'
import { createVerifier } from 'fast-jwt'
import { readIssuedAt, userIdFault, userIdText } from '@tidings/contracts'

/**
 * A refresh token that was verified: `id` is its own, `family` that of all that came from one login, `signedInAt` the
 * time of that login in milliseconds, 0 where the token does not say.
 */
export type RefreshToken = { id: string, family: string, userId: string, signedInAt: number, expiresAt: Date }

export const RefreshRefused = createError('REFRESH_REFUSED', 'The refresh token is not valid (any more): sign in again', 401)

type Claims = { type?: unknown, jti?: unknown, family?: unknown, userId?: unknown, sub?: unknown, iat?: unknown, signedInAt?: unknown, exp: number }
type Expected = { secret: string, issuer?: string | undefined, audience?: string | undefined, toleranceMs: number }

/** @throws RefreshRefused for anything but a living refresh token, access tokens included */
export function refreshTokenReader ({ secret, issuer, audience, toleranceMs }: Expected): (token: string) => RefreshToken {
  const verify = createVerifier({
    key: secret,
    algorithms: ['HS256'],
    clockTolerance: toleranceMs,
    requiredClaims: ['exp', 'jti', 'family', ...(issuer ? ['iss'] : []), ...(audience ? ['aud'] : [])],
    ...(issuer && { allowedIss: issuer }),
    ...(audience && { allowedAud: audience })
  })

  return function readRefreshToken (token) {
    const { type, jti, family, userId: claim, sub, iat, signedInAt, exp } = claimsOf(token)
    const userId = userIdText(claim ?? sub)
    const { issuedAt, fault } = readIssuedAt({ iat, signedInAt }, toleranceMs)
    const isWhole = type === 'refresh' && isId(jti) && isId(family) && isDate(exp)
    if (!isWhole || fault !== undefined) throw new RefreshRefused()
    if (userId === undefined) throw Object.assign(new RefreshRefused(), { message: userIdFault(claim ?? sub) })
    return { id: jti, family, userId, signedInAt: issuedAt ?? 0, expiresAt: new Date(exp * 1000) }
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
