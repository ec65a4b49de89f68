import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  Delivery, DeliveryList, ListDeliveriesQuery, Replay, RequestReplay, WebhookStats, WebhookStatsQuery
} from '@tidings/contracts'
import { compact, problemResponses } from '@tidings/service-kit'
import { listDeliveries } from '../delivery-log/list-deliveries.ts'
import { findReplay, replayStart, requestReplay } from '../delivery-log/replay.ts'
import { sendTest } from '../delivery-log/send-test.ts'
import { periodOf, webhookStats } from '../delivery-log/webhook-stats.ts'
import { durationMs } from '../duration.ts'
import { findWebhook } from '../webhooks/find-webhook.ts'
import { SCAN, WAITS_WHILE_PAUSED, ReplayParams, WebhookParams } from './params.ts'

/**
 * GET /webhooks/:id/deliveries and /webhooks/:id/stats, POST /webhooks/:id/test, POST /webhooks/:id/replay,
 * GET /webhooks/:id/replays/:replayId
 */
export const webhookDeliveryRoutes: FastifyPluginAsyncTypebox = async function webhookDeliveryRoutes (app) {
  const tags = ['deliveries']
  const payloadRetentionMs = durationMs(app.config.WEBHOOK_PAYLOAD_RETENTION)

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
      description: 'By outcome, with attempts and latencies; the newest 50,000 deliveries of the period.',
      params: WebhookParams,
      querystring: WebhookStatsQuery,
      response: { 200: WebhookStats, ...problemResponses(404, 414) }
    }
  }, async request => {
    const period = periodOf(request.query)
    const { id } = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    return await webhookStats(app.sql, id, period)
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

  app.post('/:id/replay', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'replayWebhook',
      tags,
      summary: 'Deliver all events since a moment again',
      description: 'Up to 14 days back. Events that were delivered before are included.',
      params: WebhookParams,
      body: RequestReplay,
      response: { 202: Replay, ...problemResponses(404, 409, 413, 414, 415) }
    }
  }, async (request, reply) => {
    const at = replayStart(request.body.since, payloadRetentionMs)
    const replay = await requestReplay(app.db, { userId: request.ownerId, id: request.params.id }, at)
    return reply.code(202).header('location', `/webhooks/${replay.webhookId}/replays/${replay.id}`).send(replay)
  })

  app.get('/:id/replays/:replayId', {
    config: { access: 'webhooks:read' },
    schema: {
      operationId: 'getReplay',
      tags,
      summary: 'Show the progress of a replay',
      params: ReplayParams,
      response: { 200: Replay, ...problemResponses(404, 414) }
    }
  }, async request => {
    const { id } = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    return await findReplay(app.db, id, request.params.replayId)
  })
}
