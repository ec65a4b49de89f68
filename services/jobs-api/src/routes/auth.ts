import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { RefreshedTokens, RefreshTokens } from '@tidings/contracts'
import { problemResponses, rateLimits, redisUrl } from '@tidings/service-kit'
import { refresher } from '../tokens/refresh.ts'
import { successResponse } from './success-response.ts'

/** The route needs no token, so its body is limited: a refresh token has 4,096 characters at most. */
const BODY_LIMIT = 16 * 1024

/** POST /auth/refresh: only with both secrets; with keys from JWKS_URL alone the identity provider refreshes tokens. */
export const authRoutes: FastifyPluginAsyncTypebox = async function authRoutes (app) {
  const { TOKEN_SECRET, REFRESH_TOKEN_SECRET, RATE_LIMIT_MAX: max, ...settings } = app.config
  if (!TOKEN_SECRET || !REFRESH_TOKEN_SECRET) return
  const { sql, isRevoked } = app
  const { refresh, userOf } = refresher({ ...settings, TOKEN_SECRET, REFRESH_TOKEN_SECRET }, { sql, isRevoked })
  await app.register(rateLimits, { name: 'auth', max, redisUrl: redisUrl(app.config), hook: 'preHandler', keyOf })

  app.post('/refresh', {
    config: { access: 'public' },
    bodyLimit: BODY_LIMIT,
    schema: {
      operationId: 'refreshTokens',
      tags: ['auth'],
      summary: 'Exchange a refresh token for new tokens',
      description: 'A refresh token can be used once. The used token is accepted for 30 seconds more; using an ' +
        'older one revokes all tokens of the login.',
      security: [],
      body: RefreshTokens,
      response: { 200: successResponse(RefreshedTokens, 'New tokens'), ...problemResponses(413, 415) }
    }
  }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return await refresh(request.body.refreshToken, request.log)
  })

  /**
   * By user. Requests without a valid token count by address, which behind an edge is that of every client: they cannot
   * use up the limit of a user.
   */
  function keyOf ({ body, ip }: FastifyRequest): string {
    const userId = userOf((body as RefreshTokens).refreshToken)
    return userId === undefined ? `address ${ip}` : `user ${userId}`
  }
}
