import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CreatedWebhook, CreateWebhook, UpdateWebhook, Webhook, WebhookList } from '@tidings/contracts'
import { createStreamReader } from '@tidings/job-events'
import { compact, egressRules, problemResponses } from '@tidings/service-kit'
import { checkInput } from '../webhooks/check-input.ts'
import { changesOf, withoutNulls } from '../webhooks/read-input.ts'
import { createWebhook } from '../webhooks/create-webhook.ts'
import { deleteWebhook } from '../webhooks/delete-webhook.ts'
import { findWebhook } from '../webhooks/find-webhook.ts'
import { listWebhooks } from '../webhooks/list-webhooks.ts'
import { newestEvent } from '../webhooks/newest-event.ts'
import { withoutMasked } from '../webhooks/own-headers.ts'
import { updateWebhook } from '../webhooks/update-webhook.ts'
import { showCreated, showWebhook, showWebhooks } from '../webhooks/show-webhooks.ts'
import { NoContent, WebhookParams } from './params.ts'

/** GET and POST /webhooks; GET, PUT and DELETE /webhooks/:id */
export const webhookRoutes: FastifyPluginAsyncTypebox = async function webhookRoutes (app) {
  const tags = ['webhooks']
  const rules = egressRules(app.config)
  const stream = createStreamReader(app.redis)

  app.get('', {
    config: { access: 'webhooks:read' },
    onSend: compact,
    schema: {
      operationId: 'listWebhooks',
      tags,
      summary: 'List your webhooks',
      response: { 200: WebhookList, ...problemResponses() }
    }
  }, async request => ({ webhooks: await showWebhooks(app, await listWebhooks(app.db, request.ownerId)) }))

  app.post('', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'createWebhook',
      tags,
      summary: 'Create a webhook',
      description: 'Receives events from now on. The response has the secret that verifies deliveries (Standard ' +
        'Webhooks).',
      body: CreateWebhook,
      response: { 201: CreatedWebhook, ...problemResponses(409, 413, 415) }
    }
  }, async (request, reply) => {
    const input = withoutNulls(request.body)
    checkInput(input, rules)
    const created = await createWebhook(app.db, input, {
      userId: request.ownerId,
      since: await newestEvent(stream, app.sql),
      maxPerUser: app.config.WEBHOOK_MAX_PER_USER,
      box: app.secretBox
    })
    reply.code(201).header('location', `/webhooks/${created.row.id}`)
    return await showCreated(app, created)
  })

  app.get('/:id', {
    config: { access: 'webhooks:read' },
    schema: {
      operationId: 'getWebhook',
      tags,
      summary: 'Show a webhook',
      params: WebhookParams,
      response: { 200: Webhook, ...problemResponses(404, 414) }
    }
  }, async request => {
    const key = { userId: request.ownerId, id: request.params.id }
    return await showWebhook(app, await findWebhook(app.db, key))
  })

  app.put('/:id', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'updateWebhook',
      tags,
      summary: 'Change a webhook',
      description: 'Changes the fields in the body, which may be the whole webhook as a GET returns it. ' +
        '`active: true` ' +
        'reactivates a disabled webhook; a change of url, headers or secret applies from the next attempt.',
      params: WebhookParams,
      body: UpdateWebhook,
      response: { 200: Webhook, ...problemResponses(404, 413, 414, 415) }
    }
  }, async request => {
    const { id } = request.params
    const changes = changesOf(request.body, id)
    checkInput(changes.headers ? { ...changes, headers: withoutMasked(changes.headers) } : changes, rules)
    const row = await updateWebhook(app.db, { userId: request.ownerId, id }, changes, app.secretBox)
    return await showWebhook(app, row)
  })

  app.delete('/:id', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'deleteWebhook',
      tags,
      summary: 'Delete a webhook',
      description: 'Its pending deliveries are closed.',
      params: WebhookParams,
      response: { 204: NoContent, ...problemResponses(404, 413, 414, 415) }
    }
  }, async (request, reply) => {
    await deleteWebhook(app.db, { userId: request.ownerId, id: request.params.id })
    return reply.code(204).send(null)
  })
}
