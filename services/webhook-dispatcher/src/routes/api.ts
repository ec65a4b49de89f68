import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accessControl, allowEmptyBodies, rateLimits, redisUrl } from '@tidings/service-kit'
import { bulkRoutes } from './bulk.ts'
import { deliveryRoutes } from './deliveries.ts'
import { jobDeliveryRoutes } from './job-deliveries.ts'
import { legacyWebhookRoutes } from './legacy-webhook.ts'
import { operatorRoutes } from './operators.ts'
import { replayRoutes } from './replays.ts'
import { secretRoutes } from './secrets.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'
import { webhookRoutes } from './webhooks.ts'

/** All routes that require a token. */
export const api: FastifyPluginAsyncTypebox = async function api (app) {
  const { config } = app
  app.removeContentTypeParser('text/plain')
  app.addHook('onRoute', route => { route.handlerTimeout ??= config.HANDLER_TIMEOUT_MS })
  app.addHook('onRequest', app.authenticate)
  allowEmptyBodies(app)
  // Responses are built field by field: a compiled serializer would only check them again, and be no faster.
  app.setSerializerCompiler(() => JSON.stringify)

  await app.register(bulkRoutes)
  await app.register(ofClients)
}

const ofClients: FastifyPluginAsyncTypebox = async function ofClients (app) {
  const { config } = app
  await app.register(rateLimits, { name: 'webhook-dispatcher', max: config.RATE_LIMIT_MAX, redisUrl: redisUrl(config) })
  await app.register(accessControl)
  await app.register(webhookRoutes, { prefix: '/webhooks' })
  await app.register(secretRoutes, { prefix: '/webhooks' })
  await app.register(webhookDeliveryRoutes, { prefix: '/webhooks' })
  await app.register(replayRoutes, { prefix: '/webhooks' })
  await app.register(legacyWebhookRoutes, { prefix: '/webhooks/legacy' })
  await app.register(deliveryRoutes, { prefix: '/deliveries' })
  await app.register(jobDeliveryRoutes, { prefix: '/jobs' })
  await app.register(operatorRoutes, { prefix: '/operators' })
}
