import fp from 'fastify-plugin'
import { prom } from '@tidings/service-kit'
import { createDeadWorkerReaper } from '../delivery/claim/dead-worker-reaper.ts'
import { refreshTargets } from '../delivery/scheduler/endpoint-registry.ts'
import { durationMs } from '../duration.ts'
import { recoveryPolicy } from '../delivery/outcomes/recovery-policy.ts'
import { closeUndeliverable } from './close-undeliverable.ts'
import { createErasures } from './erasures.ts'
import { recover } from './recover.ts'
import { removeOld } from './retention.ts'
import { runReplays } from './run-replays.ts'
import { createPeriodicTasks } from './periodic-tasks.ts'

const FORGET_ENDPOINT_MS = 10 * 60_000

/** What is done beside deliveries: freeing what dead replicas held, closing what nobody waits for, replays, retention. */
export const maintenance = fp(async function upkeep (app) {
  const { sql, delivery, config } = app
  const retention = { deliveriesMs: durationMs(config.WEBHOOK_DELIVERY_RETENTION), payloadsMs: durationMs(config.WEBHOOK_PAYLOAD_RETENTION) }

  const reap = createDeadWorkerReaper(sql)
  const recovery = recoveryPolicy(config)
  const recovered = new prom.Counter({
    name: 'tidings_webhook_recovered_total', help: 'Deliveries that had failed for good and were due once more', registers: [app.metricsRegistry]
  })

  const engine = createPeriodicTasks([
    {
      name: 'claims of the dead',
      everyMs: 500,
      run: async () => {
        if (await reap()) delivery.wake()
        return false
      }
    },
    {
      name: 'changed webhooks',
      everyMs: 1000,
      run: async () => {
        await refreshTargets(sql, delivery.endpoints)
        return false
      }
    },
    { name: 'close orphans', everyMs: 1000, run: async () => await closeUndeliverable(sql) },
    {
      name: 'replays',
      everyMs: 500,
      run: async () => {
        const hasTold = await runReplays(sql)
        if (hasTold) delivery.wake()
        return hasTold
      }
    },
    {
      name: 'recovery',
      everyMs: 500,
      run: async () => {
        const due = recovery ? await recover(sql, recovery) : 0
        recovered.inc(due)
        if (due > 0) delivery.wake()
        return false
      }
    },
    { name: 'erasures', everyMs: 2000, run: createErasures({ sql, redis: app.redis, log: app.log }) },
    { name: 'retention', everyMs: 10 * 60_000, run: async () => await removeOld(sql, retention) },
    {
      name: 'endpoints',
      everyMs: 60_000,
      run: async () => {
        delivery.endpoints.removeIdle(FORGET_ENDPOINT_MS)
        return false
      }
    }
  ], app.log)
  app.addHook('onReady', engine.start)
  app.addHook('onClose', engine.stop)
}, { name: 'upkeep', dependencies: ['delivery', 'postgres', 'redis', 'metrics'] })
