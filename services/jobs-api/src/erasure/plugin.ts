import fp from 'fastify-plugin'
import { ERASURE_LEASE_KEY } from '@tidings/contracts'
import { runPeriodically, type Run } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { runErasures } from './run-erasures.ts'

/** One replica works on the erasures that operators requested, until every service has finished them. */
export const erasures = fp<{ config: Config }>(async function erasures (app, { config }) {
  const { sql, redis, log, loops, projection } = app
  const findQueue = (name: string) => app.findQueue(name)
  const context = { sql, redis, log, projection, quietMs: config.ERASURE_QUIET_MS, findQueue }
  const task = {
    name: 'erasures',
    everyMs: config.ERASURE_INTERVAL_MS,
    run: async (run: Run) => await runErasures(context, run)
  }
  const work = async (signal: AbortSignal) => await runPeriodically(task, { signal, log, loops })
  const lease = holdLease({ redis, key: ERASURE_LEASE_KEY, ttlMs: config.LEASE_MS, loops, log, work })
  app.addHook('onClose', async () => { await lease.stop() })
}, { name: 'erasures', dependencies: ['postgres', 'redis', 'loops', 'projector', 'queues'] })
