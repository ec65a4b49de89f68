import { signAccessToken, signRefreshToken } from '@tidings/contracts'
import type { Secrets } from './secrets.ts'

const DAY_MS = 24 * 3_600_000
const ACCESS_TOKEN_MS = DAY_MS
const REFRESH_TOKEN_MS = 30 * DAY_MS

export interface Tokens {
  /** An access token for this user. */
  token: (userId: string | number, expiresInMs?: number, scope?: string) => string
  refreshToken: (userId: string | number, scope?: string) => string
}

/** Issues the first tokens in place of an identity provider. */
export function tokenIssuer (
  secrets: Secrets,
  { JWT_ISSUER: issuer, JWT_AUDIENCE: audience }: NodeJS.ProcessEnv
): Tokens {
  const claims = (userId: string | number) => ({ userId: String(userId), issuer, audience })
  return {
    token: (userId, expiresInMs = ACCESS_TOKEN_MS, scope?) =>
      signAccessToken({ ...claims(userId), secret: secrets.TOKEN_SECRET, expiresInMs, scope }),
    refreshToken: (userId, scope?) =>
      signRefreshToken({
        ...claims(userId),
        secret: secrets.REFRESH_TOKEN_SECRET,
        expiresInMs: REFRESH_TOKEN_MS,
        scope
      })
  }
}
