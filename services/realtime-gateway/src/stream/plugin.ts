import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { formatEventId, hasNewer } from '@tidings/job-events'
import { watchForStall } from '@tidings/service-kit'
import { Hub } from '../session/hub.ts'
import { startStreamTail, type StreamTail } from './stream-tail.ts'
import { measureTailLag } from './tail-lag.ts'

/** The start waits for Redis this long; then the service starts without it. */
const START_WAIT_MS = 2000

/** Decorates `app.hub`, the sessions of this replica, and `app.tail`, which reads the stream and delivers to them. */
export const stream = fp(async function stream (app) {
  const { config, redis, meters, log } = app
  const hub = new Hub()
  await waitUntilReady(redis, START_WAIT_MS)
  const tail = startStreamTail({ redis, hub, metrics: meters, log })
  const lag = measureTailLag({ redis, tail, metrics: meters })
  const stall = watchForStall({
    what: 'tail',
    position: () => formatEventId(tail.position),
    isBehind: async () => await hasNewer(redis, tail.position),
    reason: () => tail.fault?.message,
    timeoutMs: config.STALL_TIMEOUT_MS,
    log
  })

  app.decorate('hub', hub)
  app.decorate('tail', tail)

  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
  app.addReadinessCheck('tail', 'required', () => {
    if (tail.halted) return tail.halted.message
    return lag.seconds * 1000 > config.REALTIME_MAX_LAG_MS ? `${lag.seconds} s behind the stream` : undefined
  })
  app.addReadinessCheck('tail stall', 'required', stall.fault)

  app.addHook('onClose', async () => {
    lag.stop()
    stall.stop()
    await tail.stop()
  })
}, { name: 'stream', dependencies: ['redis', 'health', 'realtime-metrics'] })

async function waitUntilReady (redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  redis.once('ready', resolve)
  await promise
  redis.off('ready', resolve)
  clearTimeout(timer)
}

declare module 'fastify' {
  interface FastifyInstance {
    hub: Hub
    tail: StreamTail
  }
}
