import fp from 'fastify-plugin'
import { watchForStall, type StallOptions } from '@tidings/service-kit'
import type { Config } from './config.ts'

type Watched = Omit<StallOptions, 'log' | 'patienceMs'> & {
  /** Whether this replica does the work now. */
  isOwn: () => boolean
}

/**
 * Ready needs Postgres alone: without Redis jobs are accepted and polled.
 * Degraded, where operators should look. A relay or projector that stands still
 * makes the replica unready that holds its lease; all others are degraded, and
 * go on answering.
 */
export const readiness = fp<{ config: Config }>(async function readiness (app, { config }) {
  app.addReadinessCheck('postgres', 'required', async () => { await app.sql`select 1` })
  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
  app.decorate('watchConsumer', ({ isOwn, ...watched }) => {
    const standstill = watchForStall({ ...watched, log: app.log, patienceMs: config.STANDSTILL_MS })
    app.addReadinessCheck(watched.what, 'required', () => isOwn() ? standstill.fault() : undefined)
    app.addReadinessCheck(`${watched.what}, on another replica`, 'optional', () => isOwn() ? undefined : standstill.fault())
    app.addHook('onClose', async () => standstill.stop())
  })
}, { name: 'readiness', dependencies: ['health', 'postgres', 'redis'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** Reports a consumer that stands still while its source advances. */
    watchConsumer: (watched: Watched) => void
  }
}
