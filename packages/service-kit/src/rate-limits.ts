import createError from '@fastify/error'
import fastifyRateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { RateLimitStore } from './rate-limit-store.ts'
import { createRedis } from './redis/connect.ts'

/** Counting may not cost a request more than this: then it goes uncounted. */
const COUNT_TIMEOUT_MS = 100
const WINDOW_MS = 60_000

const TooManyRequests = createError('TOO_MANY_REQUESTS', 'More than %d requests within a minute', 429)

type RateLimitsOptions = {
  /** Whose requests are counted together: the service's name. */
  name: string
  /** Requests of one user a minute, over all replicas; 0: any number. */
  max: number
  redisUrl: string
  /** Who a request counts for: the user, unless said otherwise. */
  keyOf?: (request: FastifyRequest) => string
  /** When that is known: before anything is read of a request, or, where it stands in the body, once that is. */
  hook?: 'onRequest' | 'preHandler'
}

/**
 * Counts the requests of each user, over all replicas by way of Redis, and
 * answers 429 beyond the bound. Without Redis, or with one that is slow,
 * everybody is served. To be registered where `app.authenticate` has gone before.
 */
export const rateLimits = fp<RateLimitsOptions>(async function rateLimits (app, { name, max, redisUrl, keyOf = request => request.user.userId, hook = 'onRequest' }) {
  app.decorate('chargeRequests', async () => {})
  if (max === 0) return
  // Auto-pipelining: the counts of one turn of the event loop go out in one write.
  const redis = createRedis(redisUrl, { commandTimeout: COUNT_TIMEOUT_MS, maxRetriesPerRequest: 0, enableAutoPipelining: true })
  redis.on('error', err => app.log.debug({ err }, 'rate limits: redis is away'))
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
    store: function () { return store } as unknown as FastifyRateLimitStoreCtor, // it calls it with `new`
    skipOnError: true,
    enableDraftSpec: true,
    keyGenerator: keyOf,
    errorResponseBuilder: () => new TooManyRequests(max)
  })

  app.chargeRequests = async function chargeRequests (request, requests) {
    const counted = await store.add(keyOf(request), requests, { windowMs: WINDOW_MS, max }).catch(err => {
      app.log.debug({ err }, 'rate limits: not counted')
    })
    if (counted && counted.current > max) throw Object.assign(new TooManyRequests(max), { retryAfterS: Math.ceil(counted.ttl / 1000) })
  }
}, { name: 'rate-limits' })

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts a request as so many more: a batch costs its number of jobs. While Redis is away nothing is counted.
     * @throws 429 beyond the bound
     */
    chargeRequests: (request: FastifyRequest, requests: number) => Promise<void>
  }
}
