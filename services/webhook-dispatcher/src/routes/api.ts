import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { webhookRoutes } from './webhooks.ts'

/** Everything that needs a token. */
export const api: FastifyPluginAsyncTypebox = async function api (app) {
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', app.authenticate)
  // The answers are built field by field, so a compiled serializer would check them once more and be no faster.
  app.setSerializerCompiler(() => JSON.stringify)

  await app.register(webhookRoutes, { prefix: '/webhooks' })
}
