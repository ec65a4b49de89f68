import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { withTimeout } from '../async.ts'
import { createRedis, type RedisOptions } from './connect.ts'
import { refusalOf } from './faults.ts'

type RedisPluginOptions = { url: string, options?: RedisOptions }

/** A write that stands for all of ours; the key is gone at once. */
const PROBE = "return redis.call('SET', KEYS[1], '1', 'PX', '1')"
const PROBE_KEY = '{tidings}:probe'
/** Below the time that readiness gives a check: a Redis that is frozen is away, and refuses nobody. */
const PROBE_TIMEOUT_MS = 1500

/**
 * Decorates `app.redis`: a connection that fails at once while Redis is away
 * (no offline queue) and comes back by itself. The service starts without
 * Redis too. A blocking command needs a connection of its own (`duplicate`).
 */
export const redis = fp<RedisPluginOptions>(async function redis (app, { url, options }) {
  const client = createRedis(url, options)
  let fault: Error | undefined
  let isClusterNode = false
  client.on('error', (err: Error) => {
    // One line a change, not one a retry: an outage of an hour is 1,800 retries.
    if (!fault) app.log.warn({ err }, 'redis: away')
    fault = err
  })
  client.on('ready', () => {
    app.log.info(fault ? 'redis: back' : 'redis: connected')
    fault = undefined
    client.info('server').then(info => { isClusterNode = !client.isCluster && info.includes('redis_mode:cluster') }, () => {}) // without the right to ask nobody knows
  })

  let probing: Promise<Error | undefined> | undefined

  /** Resolves to what is wrong. One write at a time, whoever asks: a frozen Redis must not gather them. */
  async function probe (): Promise<Error | undefined> {
    probing ??= tryWrite().finally(() => { probing = undefined })
    return await withTimeout(probing, PROBE_TIMEOUT_MS, () => new Error('no answer in time'))
  }

  async function tryWrite (): Promise<Error | undefined> {
    if (isClusterNode) return new Error('REDIS_URL leads to a node of a Redis Cluster: write redis+cluster:// in the place of redis://')
    return await client.eval(PROBE, 1, PROBE_KEY).then(() => undefined, (err: Error) => fault ?? err)
  }

  app.decorate('redis', client)
  app.decorate('redisChecks', {
    away: async () => (await probe())?.message,
    refused: async () => refusalOf(await probe())
  })
  app.addHook('onClose', async () => client.disconnect())
}, { name: 'redis' })

declare module 'fastify' {
  interface FastifyInstance {
    redis: Redis
    /** For the service's readiness. */
    redisChecks: {
      /** Why nothing can be written to Redis now. */
      away: () => Promise<string | undefined>
      /** What waiting does not mend: a wrong password, missing rights, the wrong kind of URL. */
      refused: () => Promise<string | undefined>
    }
  }
}
