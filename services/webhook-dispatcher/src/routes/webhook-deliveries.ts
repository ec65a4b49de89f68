import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Delivery, DeliveryList, ListDeliveriesQuery, WebhookStats, WebhookStatsQuery } from '@tidings/contracts'
import { compact, problemResponses, statsRangeOf } from '@tidings/service-kit'
import { listDeliveries } from '../delivery-log/list-deliveries.ts'
import { sendTest } from '../delivery-log/send-test.ts'
import { webhookStats } from '../delivery-log/webhook-stats.ts'
import { findWebhook } from '../webhooks/find-webhook.ts'
import { SCAN, WAITS_WHILE_PAUSED, WebhookParams } from './params.ts'

/** GET /webhooks/:id/deliveries and /webhooks/:id/stats, POST /webhooks/:id/test */
export const webhookDeliveryRoutes: FastifyPluginAsyncTypebox = async function webhookDeliveryRoutes (app) {
  const tags = ['deliveries']

  app.get('/:id/deliveries', {
    config: { access: 'webhooks:read' },
    onSend: compact,
    schema: {
      operationId: 'listDeliveries',
      tags,
      summary: 'List the deliveries to a webhook, newest first',
      description: SCAN,
      params: WebhookParams,
      querystring: ListDeliveriesQuery,
      response: { 200: DeliveryList, ...problemResponses(404, 414) }
    }
  }, async request => {
    const { ownerId: userId } = request
    const { id: webhookId } = await findWebhook(app.db, { userId, id: request.params.id })
    return await listDeliveries(app, { userId, webhookId }, request.query)
  })

  app.get('/:id/stats', {
    config: { access: 'webhooks:read' },
    schema: {
      operationId: 'getWebhookStats',
      tags,
      summary: 'Count the deliveries to a webhook over time',
      description: 'By outcome, with attempts and latencies; by default of the last 24 hours. Reads the newest ' +
        '50,000 deliveries of the time at most: `isPartial` says if there were more.',
      params: WebhookParams,
      querystring: WebhookStatsQuery,
      response: { 200: WebhookStats, ...problemResponses(404, 414) }
    }
  }, async request => {
    const range = statsRangeOf(request.query)
    const { id } = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    return await webhookStats(app.sql, id, range)
  })

  app.post('/:id/test', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'testWebhook',
      tags,
      summary: 'Deliver a test event',
      description: `The response is the delivery; its outcome is found under its id. ${WAITS_WHILE_PAUSED}`,
      params: WebhookParams,
      response: { 202: Delivery, ...problemResponses(404, 409, 413, 414, 415) }
    }
  }, async (request, reply) => {
    const webhook = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    const delivery = await sendTest(app.db, webhook)
    app.delivery.wake()
    return reply.code(202).header('location', `/deliveries/${delivery.id}`).send(delivery)
  })
}
