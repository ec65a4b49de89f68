import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Me, renderUserId } from '@tidings/contracts'
import { problemResponses } from '@tidings/service-kit'
import { successResponse } from './success-response.ts'

/** GET /me */
export const meRoute: FastifyPluginAsyncTypebox = async function meRoute (app) {
  app.get('/me', {
    config: { access: 'token' },
    schema: {
      operationId: 'getMe',
      tags: ['auth'],
      summary: 'Show whose token this is, and what it allows',
      description: 'For any valid token. Pages use it to show only what the token allows; the services check the ' +
        'scopes at each request themselves.',
      response: { 200: successResponse(Me, 'The user and the scopes of the token'), ...problemResponses() }
    }
  }, async ({ user: { userId, scopes, expiresAt } }, reply) => {
    reply.header('cache-control', 'no-store')
    return { userId: renderUserId(userId), scopes: [...scopes], expiresAt }
  })
}
