import { signAccessToken, signRefreshToken } from '@tidings/contracts'
import type { Secrets } from './secrets.ts'

const DAY_MS = 24 * 3_600_000
const ACCESS_TOKEN_MS = DAY_MS
const REFRESH_TOKEN_MS = 30 * DAY_MS

export interface Tokens {
  /** An access token of this user. */
  token: (userId: string | number, expiresInMs?: number, scope?: string) => string
  refreshToken: (userId: string | number, scope?: string) => string
}

/** Stands in for the identity provider that issues the first tokens. */
export function tokenIssuer ({ TOKEN_SECRET, REFRESH_TOKEN_SECRET }: Secrets, { JWT_ISSUER: issuer, JWT_AUDIENCE: audience }: NodeJS.ProcessEnv): Tokens {
  return {
    token: (userId, expiresInMs = ACCESS_TOKEN_MS, scope = undefined) =>
      signAccessToken({ userId: String(userId), secret: TOKEN_SECRET, expiresInMs, issuer, audience, scope }),
    refreshToken: (userId, scope = undefined) =>
      signRefreshToken({ userId: String(userId), secret: REFRESH_TOKEN_SECRET, expiresInMs: REFRESH_TOKEN_MS, issuer, audience, scope })
  }
}
