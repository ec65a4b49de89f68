import { userIdText } from '../user-id.ts'
import { SCOPES } from './scopes.ts'
import { signAccessToken, signRefreshToken } from './sign.ts'

const DAY_MS = 24 * 3_600_000
const ACCESS_TOKEN_MS = DAY_MS
const REFRESH_TOKEN_MS = 30 * DAY_MS

/** Settings of the services, of which the environment has the names. */
export interface IssuerSettings {
  TOKEN_SECRET?: string | undefined
  REFRESH_TOKEN_SECRET?: string | undefined
  JWT_ISSUER?: string | undefined
  JWT_AUDIENCE?: string | undefined
}

export interface TokenRequest {
  userId: string
  /** Scopes, separated by spaces or commas; without it the token may do everything with the data of its user. */
  scope?: string | undefined
  /** Of the access token; a day by default. */
  expiresInMs?: number | undefined
}

/**
 * Issues an access token, and a refresh token where there is a secret for those, in place of an identity provider:
 * for development. A request that the services would refuse is a TypeError that says why.
 */
export function issueTokens (
  { userId, scope, expiresInMs = ACCESS_TOKEN_MS }: TokenRequest, settings: IssuerSettings
): { token: string, refreshToken: string | undefined } {
  const { TOKEN_SECRET, REFRESH_TOKEN_SECRET, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = settings
  if (!TOKEN_SECRET) throw new TypeError('TOKEN_SECRET is not set: it has to be the one of the services')
  if (userIdText(userId) === undefined) throw new TypeError('A user id has 1 to 128 printable characters')
  const claims = { userId, issuer, audience, ...(scope !== undefined && { scope: scopeOf(scope) }) }
  return {
    token: signAccessToken({ ...claims, secret: TOKEN_SECRET, expiresInMs }),
    refreshToken: REFRESH_TOKEN_SECRET
      ? signRefreshToken({ ...claims, secret: REFRESH_TOKEN_SECRET, expiresInMs: REFRESH_TOKEN_MS })
      : undefined
  }
}

function scopeOf (text: string): string {
  const words = text.split(/[\s,]+/).filter(Boolean)
  const unknown = words.find(word => !(SCOPES as readonly string[]).includes(word))
  if (unknown === undefined && words.length > 0) return words.join(' ')
  throw new TypeError(`The scopes are ${SCOPES.join(', ')}, not ${unknown ?? 'none'}`)
}
