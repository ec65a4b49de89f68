import fp from 'fastify-plugin'
import { PROJECTOR_LEASE_KEY } from '@tidings/contracts'
import type { Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { engineMetrics, type EngineMetrics } from '../metrics.ts'
import { listen } from '../projector/listen.ts'
import { startProjector } from '../projector/projector.ts'
import { createWatch, type Watch } from '../projector/watch.ts'
import { suspect } from '../relay/memory.ts'

/**
 * One replica projects, all know how far it has come: `app.projected`.
 */
export const projector = fp<{ config: Config }>(async function projector (app, { config }) {
  const { redis, sql, log } = app
  const metrics = engineMetrics(app.metricsRegistry)
  const watch = createWatch()
  const stopListening = listen({ url: config.DATABASE_URL, watch, log })

  const lease = holdLease({ redis, key: PROJECTOR_LEASE_KEY, ttlMs: config.LEASE_MS, log, work: project })
  app.decorate('engineMetrics', metrics)
  app.decorate('projected', watch)
  app.addHook('onClose', async () => {
    await lease.stop()
    await stopListening()
  })

  async function project (signal: AbortSignal) {
    const onOvertaken = () => suspect(redis, config.queues)
    const follower = startProjector({ redis, sql, watch, log, metrics, onOvertaken })
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    await follower.stop()
  }
}, { name: 'projector', dependencies: ['postgres', 'redis', 'metrics'] })

declare module 'fastify' {
  interface FastifyInstance {
    engineMetrics: EngineMetrics
    /** How far the rows have come, and waiting for it; the same on every replica. */
    projected: Watch
  }
}
