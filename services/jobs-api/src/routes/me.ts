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
      summary: 'Get the user and the scopes of the token',
      description: 'For any valid token. Pages use it to show only the allowed actions; the services check the ' +
        'scopes of each request themselves.',
      response: { 200: successResponse(Me, 'The user and the scopes of the token'), ...problemResponses() }
    }
  }, async ({ user: { userId, scopes, expiresAt } }, reply) => {
    reply.header('cache-control', 'no-store')
    return { userId: renderUserId(userId), scopes: [...scopes], expiresAt }
  })
}
