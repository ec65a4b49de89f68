import Fastify from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { jwtAuth } from '@tidings/contracts'
import {
  browserGuards, dayPartitions, docs, health, jsonBodies, loops, metrics, postgres, problems, redis, redisUrl,
  revocations, serviceOptions, tokenSettings, validatorCompiler
} from '@tidings/service-kit'
import { badItems } from './bad-items/plugin.ts'
import { bulks } from './bulk/plugin.ts'
import { queues } from './bullmq/plugin.ts'
import type { Config } from './config.ts'
import { TIMELINE } from './db/timeline-days.ts'
import { erasures } from './erasure/plugin.ts'
import { API } from './openapi.ts'
import { projector } from './projector/plugin.ts'
import { queueLeader } from './queue-leader/plugin.ts'
import { reads } from './read/plugin.ts'
import { readiness } from './readiness.ts'
import { api } from './routes/api.ts'

/** The service, not yet listening: `app.ready()` migrates and starts relay and projector. */
export function buildApp (config: Config) {
  const app = Fastify(serviceOptions(config))
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(validatorCompiler)

  // Boot runs down this list; close runs back up it once the last request has been answered.
  app.decorate('config', config)
  app.register(problems)
  app.register(jsonBodies)
  app.register(browserGuards, { config })
  app.register(metrics)
  app.register(health)
  app.register(loops)
  app.register(docs, API)
  app.register(postgres, {
    url: config.DATABASE_URL,
    schema: 'jobs',
    migrations: new URL('./db/migrations', import.meta.url),
    max: config.POSTGRES_CONNECTIONS,
    startTimeoutMs: config.POSTGRES_START_TIMEOUT_MS
  })
  app.register(dayPartitions, { tables: [TIMELINE] })
  app.register(redis, { url: redisUrl(config) })
  app.register(revocations)
  app.register(jwtAuth, { settings: tokenSettings(config), isRevoked: identity => app.isRevoked(identity) })
  app.register(queues, { config })
  app.register(readiness, { config })
  app.register(badItems)
  app.register(projector, { config })
  app.register(queueLeader, { config })
  app.register(erasures, { config })
  app.register(bulks, { config })
  app.register(reads, { config })
  app.register(api)
  return app
}

declare module 'fastify' {
  interface FastifyInstance { config: Config }
}
