import { randomUUID } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import { renderUserId } from '../user-id.ts'

type SignOptions = {
  userId: string
  secret: string
  /** Milliseconds from now. */
  expiresInMs: number
  issuer?: string | undefined
  audience?: string | undefined
  /** For a refreshed token: when its user signed in, milliseconds. A revocation of that login voids it. */
  signedInAt?: number | undefined
  /** Claim `scope`: what the token may do. Without one it may do everything with the data of its user. */
  scope?: string | undefined
}

/** An HS256 access token, as an identity provider would issue it. */
export function signAccessToken (options: SignOptions): string {
  return sign({ userId: renderUserId(options.userId), type: 'access' }, options)
}

/** A refresh token; `family` stays the same over all rotations of one login, `jti` is the id of this token. */
export function signRefreshToken (
  { family = randomUUID(), jti = randomUUID(), ...options }: SignOptions & { family?: string, jti?: string }
): string {
  return sign({ userId: renderUserId(options.userId), type: 'refresh', family, jti }, options)
}

function sign (claims: object, { secret, expiresInMs, issuer, audience, signedInAt, scope }: SignOptions): string {
  return createSigner({
    algorithm: 'HS256',
    key: secret,
    expiresIn: expiresInMs,
    ...(issuer && { iss: issuer }),
    ...(audience && { aud: audience })
  })({
    ...claims,
    ...(scope !== undefined && { scope }),
    ...(signedInAt !== undefined && { signedInAt: Math.floor(signedInAt / 1000) })
  })
}
