import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { withTimeout } from '../async.ts'
import { createRedis, type RedisOptions } from './connect.ts'
import { refusalOf } from './faults.ts'

type RedisPluginOptions = { url: string, options?: RedisOptions }

/** A sample write; the key expires at once. */
const PROBE = "return redis.call('SET', KEYS[1], '1', 'PX', '1')"
const PROBE_KEY = '{tidings}:probe'
/** Below the timeout of a readiness check: a frozen Redis counts as away, not as refusing. */
const PROBE_TIMEOUT_MS = 1500

/**
 * Decorates `app.redis`: a connection that fails at once while Redis is away (no offline queue) and reconnects by
 * itself. The service starts without Redis too. A blocking command needs a connection of its own (`duplicate`).
 */
export const redis = fp<RedisPluginOptions>(async function redis (app, { url, options }) {
  const client = createRedis(url, options)
  let fault: Error | undefined
  let isClusterNode = false
  client.on('error', (err: Error) => {
    // One line per change and not per retry: an outage of an hour has 1,800 retries.
    if (!fault) app.log.warn({ err }, 'redis: away')
    fault = err
  })
  client.on('ready', () => {
    app.log.info(fault ? 'redis: back' : 'redis: connected')
    fault = undefined
    client.info('server').then(info => {
      isClusterNode = !client.isCluster && info.includes('redis_mode:cluster')
    }, () => {}) // not known without the permission for INFO
  })

  let probing: Promise<Error | undefined> | undefined

  /** Resolves to the fault, if any. All callers share one write: they must not pile up at a frozen Redis. */
  async function probe (): Promise<Error | undefined> {
    probing ??= tryWrite().finally(() => { probing = undefined })
    return await withTimeout(probing, PROBE_TIMEOUT_MS, () => new Error('no answer in time'))
  }

  async function tryWrite (): Promise<Error | undefined> {
    if (isClusterNode) {
      return new Error('REDIS_URL leads to a node of a Redis Cluster: write redis+cluster:// instead of redis://')
    }
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
      /** Why Redis cannot be written to now. */
      away: () => Promise<string | undefined>
      /** A fault that does not pass by waiting: a wrong password, missing permissions, the wrong kind of URL. */
      refused: () => Promise<string | undefined>
    }
  }
}
