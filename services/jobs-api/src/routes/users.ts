import createError from '@fastify/error'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Erasure, REVOCATIONS_KEY } from '@tidings/contracts'
import { allowEmptyBodies, problemResponses } from '@tidings/service-kit'
import { findErasure, requestErasure, toErasure } from '../erasure/erasures.ts'
import { successResponse } from './success-response.ts'

const NoErasure = createError('ERASURE_NOT_FOUND', 'No erasure %s', 404)

const UserId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  description: 'Id of the user, as text',
  examples: ['7']
})
const UserParams = Type.Object({ userId: UserId })
const ErasureParams = Type.Object({
  userId: UserId,
  erasureId: Type.String({ format: 'uuid', examples: ['0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'] })
})
const ErasureLocation = { location: Type.String({ description: 'The path of the erasure' }) }

/** DELETE /users/:userId, GET /users/:userId/erasures/:erasureId: for operators (scope operator:write). */
export const userRoutes: FastifyPluginAsyncTypebox = async function userRoutes (app) {
  const tags = ['users']
  const config = { access: 'operator:write' } as const
  allowEmptyBodies(app)

  app.delete('/:userId', {
    config,
    schema: {
      operationId: 'eraseUser',
      tags,
      summary: 'Erase all data of a user',
      description: 'Revokes the user\'s tokens, cancels open jobs, and removes jobs, results, timelines, webhooks, ' +
        'secrets, deliveries and refresh tokens in every service. Needs scope `operator:write`.',
      params: UserParams,
      response: { 202: successResponse(Erasure, 'Accepted', ErasureLocation), ...problemResponses(413, 414, 415) }
    }
  }, async (request, reply) => {
    const { params: { userId }, user: { userId: actor }, log } = request
    // Every existing token becomes invalid, so that no job is submitted after the erasure.
    await app.redis.hset(REVOCATIONS_KEY, userId, Math.floor(Date.now() / 1000) + 1)
    const row = await requestErasure(app.sql, userId, actor)
    log.info({ actor, userId, erasureId: row.id }, 'erasure of a user requested')
    const location = `/users/${encodeURIComponent(userId)}/erasures/${row.id}`
    return reply.code(202).header('location', location).send(toErasure(row))
  })

  app.get('/:userId/erasures/:erasureId', {
    config,
    schema: {
      operationId: 'getErasure',
      tags,
      summary: 'Get the progress of an erasure',
      description: 'Needs scope `operator:write`.',
      params: ErasureParams,
      response: { 200: successResponse(Erasure, 'The progress of the erasure'), ...problemResponses(404, 414) }
    }
  }, async ({ params: { userId, erasureId } }) => {
    const row = await findErasure(app.sql, erasureId)
    if (!row || (row.user_id !== null && row.user_id !== userId)) throw new NoErasure(erasureId)
    return toErasure(row)
  })
}
