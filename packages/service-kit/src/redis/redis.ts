import { Redis, type RedisOptions as AllRedisOptions } from 'ioredis'
import fp from 'fastify-plugin'

/** A command that has no answer by then fails: a service must not hang on a Redis that does. */
export const REDIS_COMMAND_TIMEOUT_MS = 2000

// Not replyMapping: with ioredis 6 it would change the shape of every answer.
export type RedisOptions = Omit<AllRedisOptions, 'replyMapping'>

type RedisPluginOptions = { url: string, options?: RedisOptions }

/**
 * Decorates `app.redis`: a connection that fails at once while Redis is away
 * (no offline queue) and comes back by itself. The service starts without
 * Redis too. A blocking command needs a connection of its own (`duplicate`).
 */
export const redis = fp<RedisPluginOptions>(async function redis (app, { url, options }) {
  const client = createRedis(url, options)
  // One line a change, not one a retry: an outage of an hour is 1,800 retries.
  let away = false
  client.on('error', (err: Error) => {
    if (!away) app.log.warn({ err }, 'redis: away')
    away = true
  })
  client.on('ready', () => {
    app.log.info(away ? 'redis: back' : 'redis: connected')
    away = false
  })
  app.decorate('redis', client)
  app.addHook('onClose', async () => client.disconnect())
}, { name: 'redis' })

/** A connection with our defaults: fails fast, reconnects for ever within 2 s, leaves a demoted primary. */
export function createRedis (url: string, options: RedisOptions = {}): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: REDIS_COMMAND_TIMEOUT_MS,
    connectTimeout: 5000,
    retryStrategy: attempt => Math.min(50 * 2 ** Math.min(attempt, 6), 2000),
    // After a fail-over the old primary answers READONLY: reconnect and send again.
    reconnectOnError: err => err.message.startsWith('READONLY') ? 2 : false,
    ...options
  })
}

declare module 'fastify' {
  interface FastifyInstance { redis: Redis }
}
