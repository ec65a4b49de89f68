import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  ListReplaysQuery, Replay, ReplayDetail, ReplayList, ReplayMatches, RequestReplay, type ReplayConditions
} from '@tidings/contracts'
import { compact, problemResponses } from '@tidings/service-kit'
import { listReplays, previewReplay, requestReplay } from '../delivery-log/replay.ts'
import { replayRange } from '../delivery-log/replay-range.ts'
import { showReplay } from '../delivery-log/show-replay.ts'
import { stopReplay } from '../delivery-log/stop-replay.ts'
import { durationMs } from '../duration.ts'
import { findWebhook } from '../webhooks/find-webhook.ts'
import { NoContent, ReplayParams, WebhookParams } from './params.ts'

/** POST /webhooks/:id/replay; GET /webhooks/:id/replays; GET and DELETE /webhooks/:id/replays/:replayId */
export const replayRoutes: FastifyPluginAsyncTypebox = async function replayRoutes (app) {
  const tags = ['deliveries']
  const payloadRetentionMs = durationMs(app.config.WEBHOOK_PAYLOAD_RETENTION)

  app.post('/:id/replay', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'replayWebhook',
      tags,
      summary: 'Deliver the events of some time again',
      description: 'Up to 14 days back. Sends the events that the webhook would receive now, by its event types and ' +
        'its filter; those that were delivered before are included, unless `status` says otherwise. With `dryRun` ' +
        'the response is 200 and the number of deliveries.',
      params: WebhookParams,
      body: RequestReplay,
      response: { 200: ReplayMatches, 202: Replay, ...problemResponses(404, 409, 413, 414, 415) }
    }
  }, async (request, reply) => {
    const key = { userId: request.ownerId, id: request.params.id }
    const asked = { range: replayRange(request.body, payloadRetentionMs), conditions: conditionsOf(request.body) }
    if (request.body.dryRun) return await previewReplay(app, key, asked)
    const replay = await requestReplay(app.db, key, asked)
    return reply.code(202).header('location', `/webhooks/${replay.webhookId}/replays/${replay.id}`).send(replay)
  })

  app.get('/:id/replays', {
    config: { access: 'webhooks:read' },
    onSend: compact,
    schema: {
      operationId: 'listReplays',
      tags,
      summary: 'List the replays of a webhook, newest first',
      params: WebhookParams,
      querystring: ListReplaysQuery,
      response: { 200: ReplayList, ...problemResponses(404, 414) }
    }
  }, async request => {
    const { id } = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    return await listReplays(app.db, id, request.query)
  })

  app.get('/:id/replays/:replayId', {
    config: { access: 'webhooks:read' },
    schema: {
      operationId: 'getReplay',
      tags,
      summary: 'Show a replay and what became of its deliveries',
      params: ReplayParams,
      response: { 200: ReplayDetail, ...problemResponses(404, 414) }
    }
  }, async request => {
    const { id } = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    return await showReplay(app, { webhookId: id, id: request.params.replayId })
  })

  app.delete('/:id/replays/:replayId', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'stopReplay',
      tags,
      summary: 'Stop a replay',
      description: 'It creates no more deliveries, and those that wait are closed; attempts in flight end.',
      params: ReplayParams,
      response: { 204: NoContent, ...problemResponses(404, 413, 414, 415) }
    }
  }, async (request, reply) => {
    const { id } = await findWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    await stopReplay(app.sql, { webhookId: id, id: request.params.replayId })
    return reply.code(204).send(null)
  })
}

function conditionsOf ({ since, until, status, eventTypes }: RequestReplay): ReplayConditions {
  return {
    since,
    ...(until && { until }),
    ...(status && { status }),
    ...(eventTypes && { eventTypes })
  }
}
