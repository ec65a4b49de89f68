import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  Bulk, BulkDryRun, BulkList, BulkParams, DELIVERY_BULK_PATH, DELIVERY_BULK_PREFIX, StartDeliveryBulk, StartedBulk
} from '@tidings/contracts'
import {
  accessControl, BULK_BODY_LIMIT, fingerprint, problemResponses, rateLimits, redisUrl, toBulk, toDryRun
} from '@tidings/service-kit'
import { bulkSelectionOf, countSelected, insertSelected } from '../bulk/select-deliveries.ts'

/**
 * The part of `/bulk` that is about deliveries: jobs-api forwards requests here, with the client's own token, and logs
 * those of operators. No edge routes it. Its rate limit is separate: jobs-api has counted the request.
 */
export const bulkRoutes: FastifyPluginAsyncTypebox = async function bulkRoutes (app) {
  const { config } = app
  const schema = { hide: true }
  const idOf = ({ bulkId }: { bulkId: string }) => bulkId.replace(DELIVERY_BULK_PREFIX, '')
  await app.register(rateLimits, { name: 'bulk', max: config.RATE_LIMIT_MAX * 10, redisUrl: redisUrl(config) })
  await app.register(accessControl)

  app.post(DELIVERY_BULK_PATH, {
    config: { access: 'webhooks:write', isAudited: false },
    bodyLimit: BULK_BODY_LIMIT,
    schema: {
      ...schema,
      body: StartDeliveryBulk,
      response: { 200: BulkDryRun, 202: StartedBulk, ...problemResponses(409, 413, 415, 422) }
    }
  }, async (request, reply) => {
    const { body: { dryRun, ...wanted }, headers, ownerId: userId } = request
    const selection = bulkSelectionOf(wanted, userId)
    if (dryRun) return reply.code(200).send(toDryRun(await countSelected(app.sql, selection)))
    const key = headers['idempotency-key'] as string | undefined
    const { id, matched } = await app.bulks.create({
      id: randomUUID(),
      userId,
      action: 'redeliver',
      repeatable: key === undefined ? undefined : { key, bodyHash: fingerprint(DELIVERY_BULK_PATH, wanted) },
      insertItems: async (tx, bulk) => await insertSelected(tx, bulk, selection)
    })
    const bulkId = DELIVERY_BULK_PREFIX + id
    return reply.code(202).header('location', `/bulk/${bulkId}`).send({ bulkId, matched })
  })

  app.get(DELIVERY_BULK_PATH, {
    config: { access: 'webhooks:read', isAudited: false },
    schema: { ...schema, response: { 200: BulkList, ...problemResponses() } }
  }, async request =>
    ({ bulks: (await app.bulks.list(request.ownerId)).map(row => toBulk(row, DELIVERY_BULK_PREFIX)) }))

  app.get(`${DELIVERY_BULK_PATH}/:bulkId`, {
    config: { access: 'webhooks:read', isAudited: false },
    schema: { ...schema, params: BulkParams, response: { 200: Bulk, ...problemResponses(404) } }
  }, async ({ params, ownerId }) => toBulk(await app.bulks.find(ownerId, idOf(params)), DELIVERY_BULK_PREFIX))

  app.delete(`${DELIVERY_BULK_PATH}/:bulkId`, {
    config: { access: 'webhooks:write', isAudited: false },
    schema: { ...schema, params: BulkParams, response: { 200: Bulk, ...problemResponses(404) } }
  }, async ({ params, ownerId }) => toBulk(await app.bulks.stop(ownerId, idOf(params)), DELIVERY_BULK_PREFIX))
}
