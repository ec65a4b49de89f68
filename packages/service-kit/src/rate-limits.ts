import createError from '@fastify/error'
import fastifyRateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { RateLimitStore } from './rate-limit-store.ts'
import { createRedis } from './redis/connect.ts'

/** A request that cannot be counted in this time goes uncounted. */
const COUNT_TIMEOUT_MS = 100
const WINDOW_MS = 60_000

const TooManyRequests = createError('TOO_MANY_REQUESTS', 'More than %d requests within a minute', 429)

type RateLimitsOptions = {
  /** The service's name: its requests are counted together. */
  name: string
  /** Requests of one user per minute, over all replicas; 0: no limit. */
  max: number
  redisUrl: string
  /** The key under which a request is counted; default the user. */
  keyOf?: (request: FastifyRequest) => string
  /** When the key is known: before the request is read, or, for a key in the body, after parsing. */
  hook?: 'onRequest' | 'preHandler'
}

/**
 * Counts the requests of each user, over all replicas in Redis, and answers 429 beyond the limit. While Redis is away,
 * or slow, every request is served. To be registered where `app.authenticate` runs before.
 */
export const rateLimits = fp<RateLimitsOptions>(async function rateLimits (app, {
  name, max, redisUrl, keyOf = request => request.user.userId, hook = 'onRequest'
}) {
  app.decorate('chargeRequests', async () => {})
  if (max === 0) return
  // Auto-pipelining: the commands of one tick of the event loop are sent in one write.
  const redis = createRedis(
    redisUrl, { commandTimeout: COUNT_TIMEOUT_MS, maxRetriesPerRequest: 0, enableAutoPipelining: true }
  )
  redis.on('error', err => app.log.debug({ err }, 'rate limits: Redis is away'))
  const store = new RateLimitStore(redis, {
    prefix: `{tidings}:rate:${name}:`,
    onFault: err => app.log.debug({ err }, 'rate limits: not counted')
  })
  app.addHook('onClose', async () => {
    store.close()
    redis.disconnect()
  })

  await app.register(fastifyRateLimit, {
    hook,
    max,
    timeWindow: WINDOW_MS,
    store: function () { return store } as unknown as FastifyRateLimitStoreCtor, // the plugin calls it with `new`
    skipOnError: true,
    enableDraftSpec: true,
    keyGenerator: keyOf,
    errorResponseBuilder: () => new TooManyRequests(max)
  })

  app.chargeRequests = async function chargeRequests (request, requests) {
    const counted = await store.add(keyOf(request), requests, { windowMs: WINDOW_MS, max }).catch(err => {
      app.log.debug({ err }, 'rate limits: not counted')
    })
    if (counted && counted.current > max) {
      throw Object.assign(new TooManyRequests(max), { retryAfterS: Math.ceil(counted.ttl / 1000) })
    }
  }
}, { name: 'rate-limits' })

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts further requests: a batch costs its number of jobs. While Redis is away nothing is counted.
     * @throws 429 beyond the limit
     */
    chargeRequests: (request: FastifyRequest, requests: number) => Promise<void>
  }
}
