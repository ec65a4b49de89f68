import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { rateLimits, redisUrl } from '@tidings/service-kit'
import { bodyLimits } from './body-limits.ts'
import { loadShedding } from './load-shedding.ts'
import { authRoutes } from './auth.ts'
import { commandRoutes } from './commands.ts'
import { internalRoutes } from './internal.ts'
import { jobRoutes } from './jobs.ts'
import { submitRoutes } from './submit.ts'
import { userRoutes } from './users.ts'

/** All that clients call. */
export const api: FastifyPluginAsyncTypebox = async function api (app) {
  app.removeContentTypeParser('text/plain')
  // The answers are built field by field, so a compiled serializer would check them once more and be no faster.
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

  await app.register(submitRoutes)
  await app.register(jobRoutes, { prefix: '/jobs' })
  await app.register(commandRoutes, { prefix: '/jobs' })
  await app.register(userRoutes, { prefix: '/users' })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route bounds its own time: Fastify's timer and abort controller are 5 µs of each request. */
    isBounded?: boolean
  }
}
