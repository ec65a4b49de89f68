import fp from 'fastify-plugin'
import { PROJECTOR_LEASE_KEY } from '@tidings/contracts'
import { formatEventId, hasNewer, type StreamConsumer, type UnsupportedJobEvent } from '@tidings/job-events'
import { runPeriodically, type Run } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { runRetention } from '../maintenance/retention.ts'
import { requestReconcile } from '../relay/relay-state.ts'
import { listen } from './listen.ts'
import { createProjectionProgress, type ProjectionProgress } from './projection-progress.ts'
import { startProjector } from './projector.ts'

/** How long a replica that met an event of a newer release leaves the projection to other replicas. */
const HALT_MS = 5000

/**
 * One replica projects; every replica knows the progress: `app.projection`. The projecting replica also runs retention.
 */
export const projector = fp<{ config: Config }>(async function projector (app, { config }) {
  const { redis, sql, log, loops, badItems, backgroundMetrics: metrics } = app
  const projection = createProjectionProgress()
  let consumer: StreamConsumer | undefined
  let halted: UnsupportedJobEvent | undefined
  const stopListening = listen({ url: config.DATABASE_URL, projection, loops, log })

  const lease = holdLease({ redis, key: PROJECTOR_LEASE_KEY, ttlMs: config.LEASE_MS, loops, log, work: project })
  app.watchConsumer({
    what: 'projector',
    position: () => formatEventId(projection.position),
    isBehind: async () => await hasNewer(redis, projection.position),
    reason: () => consumer?.fault?.message,
    isOwn: () => lease.isHeld
  })
  app.addReadinessCheck('projector halted', 'required', () => app.projectorFault())
  app.decorate('projectorFault', () => {
    if (consumer && !consumer.halted && consumer.lastReplyAt > 0) halted = undefined
    return halted?.message
  })
  app.decorate('projection', projection)
  app.addHook('onClose', async () => {
    await lease.stop()
    await stopListening()
  })

  async function project (signal: AbortSignal) {
    const onGap = () => requestReconcile(redis, config.queues)
    const start = () => startProjector({
      redis, sql, projection, findQueue: name => app.findQueue(name), badItems, log, metrics, onGap, onHalted
    })
    consumer = start()
    // Otherwise a quiet stream would wake nobody who reads it from an earlier position.
    let restarting = Promise.resolve()
    const unwatch = projection.watchBack(() => {
      restarting = restarting.then(async () => {
        await consumer?.stop()
        if (!signal.aborted) consumer = start()
      })
    })
    const run = async (run: Run) => await runRetention({ sql, metrics, days: config.JOB_RETENTION_DAYS, ...run })
    await runPeriodically({ name: 'retention', everyMs: config.RETENTION_INTERVAL_MS, run }, { signal, log, loops })
    unwatch()
    await restarting
    await consumer.stop()
  }

  // In the middle of a deployment a replica of the newer release can read the event. If there is none, this replica
  // tries again: the event may have been removed.
  function onHalted (fault: UnsupportedJobEvent) {
    halted = fault
    lease.rest(HALT_MS).catch(err => log.error({ err }, 'projector: lease not released'))
  }
}, { name: 'projector', dependencies: ['postgres', 'redis', 'bad-items', 'loops', 'readiness'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** The progress of the projection, and waiting for it; the same on every replica. */
    projection: ProjectionProgress
    /** Why this replica's projector is halted, if it is. */
    projectorFault (): string | undefined
  }
}
