import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CreatedWebhook, DeliveryList, LegacyWebhook, ListDeliveriesQuery, PutLegacyWebhook, WebhookSecret
} from '@tidings/contracts'
import { createStreamReader } from '@tidings/job-events'
import { compact, egressRules, problemResponses } from '@tidings/service-kit'
import { listDeliveries } from '../delivery-log/list-deliveries.ts'
import { rotateSecret, showSecret } from '../secrets/signing-secrets.ts'
import { checkInput } from '../webhooks/check-input.ts'
import {
  deleteLegacyWebhook, findLegacyWebhook, migrateLegacyWebhook, putLegacyWebhook
} from '../webhooks/legacy-webhook.ts'
import { showCreated, showLegacyWebhook } from '../webhooks/show-webhooks.ts'
import { lockUser } from '../webhooks/webhook-row.ts'
import { newestEvent } from '../webhooks/newest-event.ts'
import { NoContent } from './params.ts'

/** GET, PUT and DELETE /webhooks/legacy; its secret, its deliveries, and its migration */
export const legacyWebhookRoutes: FastifyPluginAsyncTypebox = async function legacyWebhookRoutes (app) {
  const tags = ['legacy webhook']
  const rules = egressRules(app.config)
  const stream = createStreamReader(app.redis)

  app.get('', {
    config: { access: 'webhooks:read' },
    schema: {
      operationId: 'getLegacyWebhook',
      tags,
      summary: 'Show your legacy webhookUrl',
      response: { 200: LegacyWebhook, ...problemResponses(404) }
    }
  }, async request => await showLegacyWebhook(app, await findLegacyWebhook(app.db, request.ownerId)))

  app.put('', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'putLegacyWebhook',
      tags,
      summary: 'Set your legacy webhookUrl',
      description: 'It receives the completions of all your jobs.',
      body: PutLegacyWebhook,
      response: { 200: LegacyWebhook, ...problemResponses(413, 415) }
    }
  }, async request => {
    const { webhookUrl } = request.body
    checkInput({ url: webhookUrl }, rules, 'webhookUrl')
    const since = await newestEvent(stream, app.sql)
    const legacy = { userId: request.ownerId, url: webhookUrl, since, box: app.secretBox }
    return await showLegacyWebhook(app, await putLegacyWebhook(app.db, legacy))
  })

  app.delete('', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'deleteLegacyWebhook',
      tags,
      summary: 'Remove your legacy webhookUrl',
      response: { 204: NoContent, ...problemResponses(404, 413, 415) }
    }
  }, async (request, reply) => {
    await deleteLegacyWebhook(app.db, request.ownerId)
    return reply.code(204).send(null)
  })

  app.get('/secret', {
    config: { access: 'webhooks:write' }, // the secret allows signing
    schema: {
      operationId: 'getLegacySecret',
      tags,
      summary: 'Show the secret that verifies deliveries to your legacy webhookUrl and to those of your jobs',
      response: { 200: WebhookSecret, ...problemResponses() }
    }
  }, async request => {
    const owner = { userId: request.ownerId, webhookId: null }
    return await showSecret(app.db, app.secretBox, owner)
  })

  app.post('/rotate-secret', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'rotateLegacySecret',
      tags,
      summary: 'Replace the legacy secret',
      description: 'For 24 hours deliveries carry two signatures, one by the new secret and one by the replaced one.',
      response: { 200: WebhookSecret, ...problemResponses(413, 415) }
    }
  }, async request => await app.db.transaction(async tx => {
    const { ownerId: userId } = request
    await lockUser(tx, userId)
    await rotateSecret(tx, app.secretBox, { userId, webhookId: null })
    return await showSecret(tx, app.secretBox, { userId, webhookId: null })
  }))

  app.get('/deliveries', {
    config: { access: 'webhooks:read' },
    onSend: compact,
    schema: {
      operationId: 'listLegacyDeliveries',
      tags,
      summary: 'List the deliveries to your legacy webhookUrl and to those of your jobs, newest first',
      querystring: ListDeliveriesQuery,
      response: { 200: DeliveryList, ...problemResponses() }
    }
  }, async request => await listDeliveries(
    app, { userId: request.ownerId, kinds: ['legacy', 'job'] }, request.query
  ))

  app.post('/migrate', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'migrateLegacyWebhook',
      tags,
      summary: 'Turn your legacy webhookUrl into a webhook',
      description: 'It keeps its secret and its pending deliveries.',
      response: { 201: CreatedWebhook, ...problemResponses(404, 409, 413, 415) }
    }
  }, async (request, reply) => {
    const { ownerId: userId } = request
    const { WEBHOOK_MAX_PER_USER: maxPerUser } = app.config
    const created = await migrateLegacyWebhook(app.db, { userId, maxPerUser, box: app.secretBox })
    reply.code(201).header('location', `/webhooks/${created.row.id}`)
    return await showCreated(app, created)
  })
}
