import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Delivery, DeliveryDetail, DeliveryList, ListAllDeliveriesQuery } from '@tidings/contracts'
import { compact, problemResponses, sendJson } from '@tidings/service-kit'
import { showDelivery } from '../delivery-log/find-delivery.ts'
import { listDeliveries } from '../delivery-log/list-deliveries.ts'
import { redeliver } from '../delivery-log/redeliver.ts'
import { DeliveryParams, SCAN, WAITS_WHILE_PAUSED } from './params.ts'

/** GET /deliveries, GET /deliveries/:id, POST /deliveries/:id/redeliver */
export const deliveryRoutes: FastifyPluginAsyncTypebox = async function deliveryRoutes (app) {
  const tags = ['deliveries']

  app.get('', {
    config: { access: 'webhooks:read', allUsers: true },
    onSend: compact,
    schema: {
      operationId: 'listAllDeliveries',
      tags,
      summary: 'List the deliveries to all your webhooks, newest first',
      description: `Those of deleted webhooks, of your legacy webhookUrl and of your jobs' webhookUrls too. ${SCAN}`,
      querystring: ListAllDeliveriesQuery,
      response: { 200: DeliveryList, ...problemResponses() }
    }
  }, async request => {
    const userId = request.isAllUsers ? undefined : request.ownerId
    return await listDeliveries(app, { userId }, request.query)
  })

  app.get('/:id', {
    config: { access: 'webhooks:read' },
    onSend: compact,
    schema: {
      operationId: 'getDelivery',
      tags,
      summary: 'Show a delivery with its payload and attempts',
      params: DeliveryParams,
      response: { 200: DeliveryDetail, ...problemResponses(404, 414) }
    }
  }, async (request, reply) => {
    const delivery = await showDelivery(app.db, { userId: request.ownerId, id: request.params.id })
    return sendJson(reply, delivery)
  })

  app.post('/:id/redeliver', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'redeliver',
      tags,
      summary: 'Deliver again',
      description: 'Creates a delivery outside the order of events, with the same `webhook-id`. ' + WAITS_WHILE_PAUSED,
      params: DeliveryParams,
      response: { 202: Delivery, ...problemResponses(404, 409, 410, 413, 414, 415) }
    }
  }, async (request, reply) => {
    const delivery = await redeliver(app.db, { userId: request.ownerId, id: request.params.id })
    app.delivery.wake()
    return reply.code(202).header('location', `/deliveries/${delivery.id}`).send(delivery)
  })
}
