import type { FastifyBaseLogger } from 'fastify'
import {
  clockToleranceMs, signAccessToken, signRefreshToken, type Identity, type RefreshedTokens
} from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { RefreshRefused, refreshTokenReader } from './refresh-token.ts'
import { rotate } from './rotate.ts'

type Durations = Pick<Config, 'ACCESS_TOKEN_TTL_MS' | 'REFRESH_TOKEN_TTL_MS' | 'JWT_CLOCK_TOLERANCE'>
type Parties = Pick<Config, 'JWT_ISSUER' | 'JWT_AUDIENCE'>
type RefreshSettings = Durations & Parties & { TOKEN_SECRET: string, REFRESH_TOKEN_SECRET: string }

type IsRevoked = (identity: Pick<Identity, 'userId' | 'issuedAt'>) => boolean | Promise<boolean>
type RefreshContext = { sql: RawSql, isRevoked: IsRevoked }

/**
 * Exchanges a refresh token for a new pair of tokens. They keep the time of the login: if Redis cannot report now that
 * the user was revoked, the new tokens are rejected as soon as it can.
 *
 * `userOf` returns the user of a token, undefined if the token is invalid.
 */
export function refresher (settings: RefreshSettings, { sql, isRevoked }: RefreshContext) {
  const { TOKEN_SECRET, REFRESH_TOKEN_SECRET, ACCESS_TOKEN_TTL_MS, REFRESH_TOKEN_TTL_MS } = settings
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = settings
  const toleranceMs = clockToleranceMs(settings)
  const readToken = refreshTokenReader({ secret: REFRESH_TOKEN_SECRET, issuer, audience, toleranceMs })

  return { refresh, userOf }

  async function refresh (refreshToken: string, log: FastifyBaseLogger): Promise<RefreshedTokens> {
    const token = readToken(refreshToken)
    const { userId, family, signedInAt, scope } = token
    if (await isRevoked({ userId, issuedAt: signedInAt })) throw new RefreshRefused()
    const rotation = await rotate(sql, token, new Date(Date.now() + REFRESH_TOKEN_TTL_MS))
    if (rotation.outcome === 'reused') log.warn({ userId, family }, 'refresh token used again: family revoked')
    if (rotation.outcome !== 'rotated') throw new RefreshRefused()
    const common = { userId, issuer, audience, signedInAt, scope }
    return {
      token: signAccessToken({ ...common, secret: TOKEN_SECRET, expiresInMs: ACCESS_TOKEN_TTL_MS }),
      refreshToken: signRefreshToken({
        ...common, secret: REFRESH_TOKEN_SECRET, expiresInMs: REFRESH_TOKEN_TTL_MS, family, jti: rotation.id
      }),
      expiresIn: Math.floor(ACCESS_TOKEN_TTL_MS / 1000)
    }
  }

  function userOf (refreshToken: string): string | undefined {
    try {
      return readToken(refreshToken).userId
    } catch (err) {
      if (!(err instanceof RefreshRefused)) throw err
    }
  }
}
