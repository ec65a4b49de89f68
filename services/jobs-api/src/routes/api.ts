import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accessControl, rateLimits, redisUrl } from '@tidings/service-kit'
import { authRoutes } from './auth.ts'
import { bodyLimits } from './body-limits.ts'
import { bulkRoutes } from './bulk.ts'
import { commandRoutes } from './commands.ts'
import { internalRoutes } from './internal.ts'
import { jobRoutes } from './jobs.ts'
import { meRoute } from './me.ts'
import { resubmitRoute } from './resubmit.ts'
import { loadShedding } from './load-shedding.ts'
import { operatorRoutes } from './operators.ts'
import { submitRoutes } from './submit.ts'
import { userRoutes } from './users.ts'

/** All routes for clients. */
export const api: FastifyPluginAsyncTypebox = async function api (app) {
  app.removeContentTypeParser('text/plain')
  // Responses are built field by field; a compiled serializer would only check them once more, and is not faster.
  app.setSerializerCompiler(() => JSON.stringify)
  app.addHook('onRoute', route => {
    if (!route.config?.isBounded) route.handlerTimeout ??= app.config.HANDLER_TIMEOUT_MS
  })

  await app.register(loadShedding, { config: app.config })
  await app.register(authRoutes, { prefix: '/auth' })
  await app.register(behindToken)
  await app.register(internalRoutes)
}

const behindToken: FastifyPluginAsyncTypebox = async function behindToken (app) {
  app.addHook('onRequest', app.authenticate)
  await app.register(rateLimits, { name: 'jobs-api', max: app.config.RATE_LIMIT_MAX, redisUrl: redisUrl(app.config) })
  await app.register(bodyLimits, { maxPerUser: app.config.BODIES_PER_USER })
  await app.register(accessControl)

  await app.register(meRoute)
  await app.register(submitRoutes)
  await app.register(jobRoutes, { prefix: '/jobs' })
  await app.register(commandRoutes, { prefix: '/jobs' })
  await app.register(resubmitRoute, { prefix: '/jobs' })
  await app.register(bulkRoutes, { prefix: '/bulk' })
  await app.register(userRoutes, { prefix: '/users' })
  await app.register(operatorRoutes, { prefix: '/operators' })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route limits its own time: Fastify's timer and abort controller cost 5 µs per request. */
    isBounded?: boolean
  }
}
