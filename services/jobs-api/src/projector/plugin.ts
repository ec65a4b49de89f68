import fp from 'fastify-plugin'
import { PROJECTOR_LEASE_KEY } from '@tidings/contracts'
import { formatEventId, hasNewer, type StreamConsumer, type UnsupportedJobEvent } from '@tidings/job-events'
import type { Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { createBadItems, type BadItems } from '../bad-items/bad-items.ts'
import { engineMetrics, type EngineMetrics } from '../metrics.ts'
import { listen } from './listen.ts'
import { startProjector } from './projector.ts'
import { createWatch, type Watch } from './projection-progress.ts'
import { suspect } from '../relay/relay-state.ts'
import { repeat } from '../repeat.ts'
import { forgetBadItems } from '../maintenance/purge-bad-items.ts'
import { forgetSpent } from '../maintenance/purge-expired.ts'
import { forgetReplaced, removeOldJobs } from '../maintenance/remove-old-jobs.ts'

/** How long a replica that met an event of a newer release leaves the projection to others. */
const HALT_MS = 5000

/**
 * One replica projects, all know how far it has come: `app.projected`.
 */
export const projector = fp<{ config: Config }>(async function projector (app, { config }) {
  const { redis, sql, log } = app
  const metrics = engineMetrics(app.metricsRegistry)
  const badItems = createBadItems({ sql, metrics, log })
  const watch = createWatch()
  let follower: StreamConsumer | undefined
  let halted: UnsupportedJobEvent | undefined
  const stopListening = listen({ url: config.DATABASE_URL, watch, log })

  const lease = holdLease({ redis, key: PROJECTOR_LEASE_KEY, ttlMs: config.LEASE_MS, log, work: project })
  app.decorate('engineMetrics', metrics)
  app.decorate('badItems', badItems)
  app.watchConsumer({
    what: 'projector',
    position: () => formatEventId(watch.position),
    isBehind: async () => await hasNewer(redis, watch.position),
    reason: () => follower?.fault?.message,
    isOwn: () => lease.isHeld
  })
  app.addReadinessCheck('projector halted', 'required', () => app.projectorFault())
  app.decorate('projectorFault', () => {
    if (follower && !follower.halted && follower.lastReplyAt > 0) halted = undefined
    return halted?.message
  })
  app.decorate('projected', watch)
  app.addHook('onClose', async () => {
    await lease.stop()
    await stopListening()
    await badItems.stop()
  })

  async function project (signal: AbortSignal) {
    const onGap = () => suspect(redis, config.queues)
    follower = startProjector({ redis, sql, watch, badItems, log, metrics, onGap, onHalted })
    await repeat({ what: 'retention', everyMs: config.RETENTION_INTERVAL_MS, task: () => retire(signal), signal, log })
    await follower.stop()
  }

  // In the middle of a deployment: a replica of the newer release can read what this one can't. Where there is none, this
  // one looks again: the event may have been removed.
  function onHalted (fault: UnsupportedJobEvent) {
    halted = fault
    lease.rest(HALT_MS).catch(err => log.error({ err }, 'projector: lease not given back'))
  }

  async function retire (signal: AbortSignal) {
    metrics.retired.inc(await removeOldJobs(sql, { days: config.JOB_RETENTION_DAYS, signal }))
    await forgetReplaced(sql, { days: config.JOB_RETENTION_DAYS, signal })
    await forgetBadItems(sql, { days: config.JOB_RETENTION_DAYS, signal })
    await forgetSpent(sql, signal)
  }
}, { name: 'projector', dependencies: ['postgres', 'redis', 'metrics', 'readiness'] })

declare module 'fastify' {
  interface FastifyInstance {
    engineMetrics: EngineMetrics
    /** Where loops report what they skip. */
    badItems: BadItems
    /** How far the rows have come, and waiting for it; the same on every replica. */
    projected: Watch
    /** Why this replica's projector is halted, if it is. */
    projectorFault (): string | undefined
  }
}
