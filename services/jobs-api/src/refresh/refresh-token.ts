import createError from '@fastify/error'
import { createVerifier } from 'fast-jwt'
import { userIdText } from '@tidings/contracts'

/**
 * A refresh token that was verified: `id` is its own, `family` that of all that came from one login, `signedInAt` the
 * time of that login in milliseconds, 0 where the token does not say.
 */
export type RefreshToken = { id: string, family: string, userId: string, signedInAt: number, expiresAt: Date }

export const RefreshRefused = createError('REFRESH_REFUSED', 'The refresh token is not valid (any more): sign in again', 401)

type Claims = { type?: unknown, jti?: unknown, family?: unknown, userId?: unknown, sub?: unknown, iat?: number, signedInAt?: unknown, exp: number }
type Expected = { secret: string, issuer?: string | undefined, audience?: string | undefined }

/** @throws RefreshRefused for anything but a living refresh token, access tokens included */
export function refreshTokenReader ({ secret, issuer, audience }: Expected): (token: string) => RefreshToken {
  const verify = createVerifier({
    key: secret,
    algorithms: ['HS256'],
    requiredClaims: ['exp', 'jti', 'family', ...(issuer ? ['iss'] : []), ...(audience ? ['aud'] : [])],
    ...(issuer && { allowedIss: issuer }),
    ...(audience && { allowedAud: audience })
  })

  return function readRefreshToken (token) {
    const { type, jti, family, userId: claim, sub, iat = 0, signedInAt, exp } = claimsOf(token)
    const userId = userIdText(claim ?? sub)
    if (type !== 'refresh' || !isId(jti) || !isId(family) || userId === undefined) throw new RefreshRefused()
    const signedIn = typeof signedInAt === 'number' ? signedInAt : iat
    return { id: jti, family, userId, signedInAt: signedIn * 1000, expiresAt: new Date(exp * 1000) }
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
