import fp from 'fastify-plugin'
import { prom } from '@tidings/service-kit'
import { createClaimReaper } from '../delivery/claim/dead-worker-reaper.ts'
import { renewTargets } from '../delivery/scheduler/refresh-targets.ts'
import { durationMs } from '../duration.ts'
import { recoveryOf } from '../delivery/outcomes/recovery-policy.ts'
import { closeOrphans } from './close-undeliverable.ts'
import { createErasures } from './erasures.ts'
import { recover } from './recover.ts'
import { dropOld } from './retention.ts'
import { tellAgain } from './run-replays.ts'
import { createUpkeep } from './periodic-tasks.ts'

const FORGET_ENDPOINT_MS = 10 * 60_000

/** What is done beside deliveries: freeing what dead replicas held, closing what nobody waits for, replays, retention. */
export const upkeep = fp(async function upkeep (app) {
  const { sql, delivery, config } = app
  const retention = { deliveriesMs: durationMs(config.WEBHOOK_DELIVERY_RETENTION), payloadsMs: durationMs(config.WEBHOOK_PAYLOAD_RETENTION) }

  const reap = createClaimReaper(sql)
  const recovery = recoveryOf(config)
  const recovered = new prom.Counter({
    name: 'tidings_webhook_recovered_total', help: 'Deliveries that had failed for good and were due once more', registers: [app.metricsRegistry]
  })

  const engine = createUpkeep([
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
        await renewTargets(sql, delivery.endpoints)
        return false
      }
    },
    { name: 'close orphans', everyMs: 1000, run: async () => await closeOrphans(sql) },
    {
      name: 'replays',
      everyMs: 500,
      run: async () => {
        const hasTold = await tellAgain(sql)
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
    { name: 'retention', everyMs: 10 * 60_000, run: async () => await dropOld(sql, retention) },
    {
      name: 'endpoints',
      everyMs: 60_000,
      run: async () => {
        delivery.endpoints.forgetIdle(FORGET_ENDPOINT_MS)
        return false
      }
    }
  ], app.log)
  app.addHook('onReady', engine.start)
  app.addHook('onClose', engine.stop)
}, { name: 'upkeep', dependencies: ['delivery', 'postgres', 'redis', 'metrics'] })
