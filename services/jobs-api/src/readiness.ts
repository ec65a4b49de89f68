import fp from 'fastify-plugin'
import { watchForStall, type StallOptions } from '@tidings/service-kit'
import type { Config } from './config.ts'

type Watched = Omit<StallOptions, 'log' | 'timeoutMs'> & {
  /** Whether this replica holds the consumer's lease. */
  isOwn: () => boolean
}

/**
 * Readiness needs Postgres only: without Redis jobs are accepted and polled, and the service is degraded. A stalled
 * relay or projector makes the replica unready that holds its lease; all other replicas are degraded and continue to
 * serve.
 */
export const readiness = fp<{ config: Config }>(async function readiness (app, { config }) {
  app.addReadinessCheck('postgres', 'required', async () => { await app.sql`select 1` })
  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
  app.decorate('watchConsumer', ({ isOwn, ...watched }) => {
    const stall = watchForStall({ ...watched, log: app.log, timeoutMs: config.STALL_TIMEOUT_MS })
    app.addReadinessCheck(watched.what, 'required', () => isOwn() ? stall.fault() : undefined)
    app.addReadinessCheck(`${watched.what}, on another replica`, 'optional', () => isOwn() ? undefined : stall.fault())
    app.addHook('onClose', async () => stall.stop())
  })
}, { name: 'readiness', dependencies: ['health', 'postgres', 'redis'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** Reports a consumer that does not advance although its source has more. */
    watchConsumer: (watched: Watched) => void
  }
}
