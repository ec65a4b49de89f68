import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import { jwtAuth } from '@tidings/contracts'
import {
  browserGuards, dayPartitions, docs, health, jsonBodies, loops, metrics, postgres, problems, redis, redisUrl,
  revocations, serviceOptions, tokenSettings, validatorCompiler
} from '@tidings/service-kit'
import { bulks } from './bulk/plugin.ts'
import type { Config } from './config.ts'
import { ATTEMPTS, EVENTS } from './db/day-tables.ts'
import { delivery } from './delivery/plugin.ts'
import { egress } from './egress/plugin.ts'
import { fanOut } from './fan-out/plugin.ts'
import { API } from './openapi.ts'
import { readiness } from './readiness.ts'
import { api } from './routes/api.ts'
import { secrets } from './secrets/plugin.ts'
import { webhooks } from './webhooks/plugin.ts'
import { maintenance } from './maintenance/plugin.ts'

/** The dispatcher: boot runs down this list, close runs back up it. */
export function buildApp (config: Config) {
  const app = Fastify(serviceOptions(config))
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(validatorCompiler)

  app.decorate('config', config)
  app.register(problems)
  app.register(jsonBodies)
  app.register(metrics)
  app.register(health)
  app.register(browserGuards, { config })
  app.register(loops)
  app.register(docs, API)
  app.register(postgres, {
    url: config.DATABASE_URL,
    drizzle: true,
    schema: 'webhooks',
    migrations: new URL('db/migrations/', import.meta.url),
    startTimeoutMs: config.POSTGRES_START_TIMEOUT_MS
  })
  app.register(dayPartitions, { tables: [EVENTS, ATTEMPTS] })
  app.register(redis, { url: redisUrl(config) })
  app.register(readiness)
  app.register(revocations)
  app.register(jwtAuth, { settings: tokenSettings(config), isRevoked: identity => app.isRevoked(identity) })
  app.register(secrets)
  app.register(webhooks)
  app.register(egress)
  app.register(delivery)
  app.register(fanOut)
  app.register(maintenance)
  app.register(bulks)
  app.register(api)
  return app
}

declare module 'fastify' {
  interface FastifyInstance { config: Config }
}
