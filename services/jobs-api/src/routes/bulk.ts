import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { v7 as uuid } from 'uuid'
import {
  Bulk, BULK_SCOPES, BulkDryRun, BulkList, BulkParams, DELIVERY_BULK_PREFIX, StartBulk, StartDeliveryBulk,
  StartedBulk, StartJobBulk
} from '@tidings/contracts'
import {
  allowEmptyBodies, BULK_BODY_LIMIT, fingerprint, hasScope, problemResponses, requireScope, toBulk, toDryRun,
  validatorCompiler
} from '@tidings/service-kit'
import { createDispatcher } from '../bulk/dispatcher.ts'
import { countSelected, insertSelected, selectionOf, type JobBulkAction } from '../bulk/select-jobs.ts'
import { IdempotencyHeaders } from './submit-context.ts'
import { successResponse } from './success-response.ts'

const MAX_LISTED = 100

const WRITE = ['jobs:write', 'webhooks:write'] as const
const READ = ['jobs:read', 'webhooks:read'] as const

const BulkLocation = { location: Type.String({ description: 'The path of the bulk action' }) }

/** POST and GET /bulk; GET and DELETE /bulk/:bulkId. Requests about deliveries are answered by webhook-dispatcher. */
export const bulkRoutes: FastifyPluginAsyncTypebox = async function bulkRoutes (app) {
  const tags = ['bulk']
  const dispatcher = createDispatcher({ url: app.config.WEBHOOK_DISPATCHER_URL, log: app.log })
  app.addHook('onClose', async () => await dispatcher.close())
  allowEmptyBodies(app)

  app.post('', {
    config: { access: WRITE },
    bodyLimit: BULK_BODY_LIMIT,
    validatorCompiler: ({ httpPart, ...route }) =>
      httpPart === 'body' ? validateByAction : validatorCompiler({ httpPart, ...route } as never) as never,
    schema: {
      operationId: 'startBulk',
      tags,
      summary: 'Retry, cancel or redeliver many items',
      description: 'The items are those that match now, at most 100,000 (422 if there are more); each is done once. ' +
        'Needs `jobs:write` to retry and cancel, `webhooks:write` to redeliver. With `dryRun` it only counts.',
      headers: IdempotencyHeaders,
      body: StartBulk,
      response: {
        200: successResponse(BulkDryRun, 'The number of items, for a dry run'),
        202: successResponse(StartedBulk, 'Accepted', BulkLocation),
        ...problemResponses(409, 413, 415, 422)
      }
    }
  }, async (request, reply) => {
    const { body, headers, ownerId: userId, routeOptions } = request
    requireScope(request, BULK_SCOPES[body.action].write)
    if (body.action === 'redeliver') return await dispatcher.forward(request, reply, { body }) as never
    const { dryRun, ...wanted } = body as StartJobBulk & { action: JobBulkAction }
    const selection = selectionOf(wanted, userId)
    if (dryRun) return await reply.code(200).send(toDryRun(await countSelected(app.sql, selection)))
    const key = headers['idempotency-key']
    const { id, matched } = await app.bulks.create({
      id: uuid(),
      userId,
      action: wanted.action,
      repeatable: key === undefined ? undefined : { key, bodyHash: fingerprint(routeOptions.url ?? '', wanted) },
      insertItems: async (tx, bulk) => await insertSelected(tx, bulk, selection)
    })
    return await reply.code(202).header('location', `/bulk/${id}`).send({ bulkId: id, matched })
  })

  app.get('', {
    config: { access: READ },
    schema: {
      operationId: 'listBulks',
      tags,
      summary: 'List your bulk actions, newest first',
      description: 'The newest 100, of those that the scopes of the token show.',
      response: { 200: successResponse(BulkList, 'Your bulk actions'), ...problemResponses() }
    }
  }, async request => {
    const jobs = hasScope(request, 'jobs:read') ? await app.bulks.list(request.ownerId) : []
    const deliveries = hasScope(request, 'webhooks:read') ? await dispatcher.list(request) : []
    const bulks = [...jobs.map(row => toBulk(row, '')), ...deliveries ?? []]
      .toSorted((a, b) => a.createdAt < b.createdAt ? 1 : -1)
      .slice(0, MAX_LISTED)
    return { bulks, ...(deliveries === undefined && { incomplete: true as const }) }
  })

  app.get('/:bulkId', {
    config: { access: READ },
    schema: {
      operationId: 'getBulk',
      tags,
      summary: 'Get the progress of a bulk action',
      params: BulkParams,
      response: { 200: successResponse(Bulk, 'The bulk action'), ...problemResponses(404, 414) }
    }
  }, async (request, reply) => {
    const { bulkId } = request.params
    if (bulkId.startsWith(DELIVERY_BULK_PREFIX)) {
      return await dispatcher.forward(request, reply, { path: `/${bulkId}` }) as never
    }
    requireScope(request, 'jobs:read')
    return toBulk(await app.bulks.find(request.ownerId, bulkId), '')
  })

  app.delete('/:bulkId', {
    config: { access: WRITE },
    schema: {
      operationId: 'stopBulk',
      tags,
      summary: 'Stop a bulk action',
      description: 'Items that were not begun stay as they are. Does nothing where it has ended.',
      params: BulkParams,
      response: { 200: successResponse(Bulk, 'The bulk action'), ...problemResponses(404, 413, 414, 415) }
    }
  }, async (request, reply) => {
    const { bulkId } = request.params
    if (bulkId.startsWith(DELIVERY_BULK_PREFIX)) {
      return await dispatcher.forward(request, reply, { path: `/${bulkId}` }) as never
    }
    requireScope(request, 'jobs:write')
    return toBulk(await app.bulks.stop(request.ownerId, bulkId), '')
  })
}

const ofJobs = validatorCompiler({ schema: StartJobBulk, httpPart: 'body', method: 'POST', url: '/bulk' })
const ofDeliveries = validatorCompiler({ schema: StartDeliveryBulk, httpPart: 'body', method: 'POST', url: '/bulk' })

/** By the schema of the action, for faults of that one alone. */
function validateByAction (body: unknown) {
  const { action } = (body ?? {}) as { action?: unknown }
  return action === 'redeliver' ? ofDeliveries(body) : ofJobs(body)
}
