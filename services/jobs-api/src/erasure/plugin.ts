import fp from 'fastify-plugin'
import { ERASURE_LEASE_KEY } from '@tidings/contracts'
import type { Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { repeat } from '../repeat.ts'
import { runErasures } from './run-erasures.ts'

/** One replica works on the erasures that operators asked for, until every service has finished them. */
export const erasures = fp<{ config: Config }>(async function erasures (app, { config }) {
  const { sql, redis, log, projection } = app
  const context = { sql, redis, log, projection, quietMs: config.ERASURE_QUIET_MS, findQueue: (name: string) => app.findQueue(name) }

  const lease = holdLease({
    redis,
    key: ERASURE_LEASE_KEY,
    ttlMs: config.LEASE_MS,
    log,
    work: async signal => await repeat({
      what: 'erasures', everyMs: config.ERASURE_INTERVAL_MS, task: async () => await runErasures(context, signal), signal, log
    })
  })
  app.addHook('onClose', async () => { await lease.stop() })
}, { name: 'erasures', dependencies: ['postgres', 'redis', 'projector', 'queues'] })
