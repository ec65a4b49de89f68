import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { WebhookSecret } from '@tidings/contracts'
import { problemResponses } from '@tidings/service-kit'
import { rotateSecret, showSecret } from '../secrets/signing-secrets.ts'
import { findWebhook, lockWebhook } from '../webhooks/find-webhook.ts'
import { WebhookParams } from './params.ts'

/** GET /webhooks/:id/secret, POST /webhooks/:id/rotate-secret */
export const secretRoutes: FastifyPluginAsyncTypebox = async function secretRoutes (app) {
  const tags = ['webhooks']

  app.get('/:id/secret', {
    config: { access: 'webhooks:write' }, // the secret allows signing
    schema: {
      operationId: 'getWebhookSecret',
      tags,
      summary: 'Show the secret that verifies a webhook\'s deliveries',
      params: WebhookParams,
      response: { 200: WebhookSecret, ...problemResponses(404, 414) }
    }
  }, async request => {
    const { ownerId: userId } = request
    const { id: webhookId } = await findWebhook(app.db, { userId, id: request.params.id })
    return await showSecret(app.db, app.secretBox, { userId, webhookId })
  })

  app.post('/:id/rotate-secret', {
    config: { access: 'webhooks:write' },
    schema: {
      operationId: 'rotateWebhookSecret',
      tags,
      summary: 'Replace the secret',
      description: 'For 24 hours deliveries carry two signatures, one by the new secret and one by the replaced one.',
      params: WebhookParams,
      response: { 200: WebhookSecret, ...problemResponses(404, 413, 414, 415) }
    }
  }, async request => await app.db.transaction(async tx => {
    const { ownerId: userId } = request
    const { id: webhookId } = await lockWebhook(tx, { userId, id: request.params.id })
    await rotateSecret(tx, app.secretBox, { userId, webhookId })
    return await showSecret(tx, app.secretBox, { userId, webhookId })
  }))
}
