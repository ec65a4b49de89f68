import fp from 'fastify-plugin'
import { prom, startPeriodicTasks } from '@tidings/service-kit'
import { createDeadWorkerReaper } from '../delivery/claim/dead-worker-reaper.ts'
import { recoveryPolicy } from '../delivery/outcomes/recovery-policy.ts'
import { refreshTargets } from '../delivery/scheduler/endpoint-registry.ts'
import { durationMs } from '../duration.ts'
import { closeDay } from './close-day.ts'
import { closeUndeliverable } from './close-undeliverable.ts'
import { createErasures } from './erasures.ts'
import { recover } from './recover.ts'
import { removeOld } from './retention.ts'
import { runReplays } from './run-replays.ts'

const IDLE_ENDPOINT_MS = 10 * 60_000
/** Of runs with many statements, each with a timeout of its own: after a long outage there are many days to drop. */
const LONG_RUN_MS = 10 * 60_000

/** The periodic tasks beside delivery. Every replica runs all of them: each is safe when run concurrently. */
export const maintenance = fp(async function maintenance (app) {
  const { sql, delivery, config } = app
  const retention = {
    deliveriesMs: durationMs(config.WEBHOOK_DELIVERY_RETENTION),
    payloadsMs: durationMs(config.WEBHOOK_PAYLOAD_RETENTION)
  }
  const removeDeadWorkers = createDeadWorkerReaper(sql)
  const recovery = recoveryPolicy(config)
  const recovered = new prom.Counter({
    name: 'tidings_webhook_recovered_total',
    help: 'Deliveries that had failed for good and were due again',
    registers: [app.metricsRegistry]
  })

  const tasks = [
    {
      name: 'dead workers',
      everyMs: 500,
      run: async () => { if (await removeDeadWorkers()) delivery.wake() }
    },
    {
      name: 'changed webhooks',
      everyMs: 1000,
      run: async () => await refreshTargets(sql, delivery.endpoints)
    },
    { name: 'undeliverable', everyMs: 1000, run: async () => await closeUndeliverable(sql) },
    {
      name: 'replays',
      everyMs: 500,
      run: async () => {
        const { added, hasMore } = await runReplays(sql)
        if (added > 0) delivery.wake()
        return hasMore
      }
    },
    {
      name: 'recovery',
      everyMs: 500,
      run: async () => {
        const due = recovery ? await recover(sql, recovery) : 0
        recovered.inc(due)
        if (due > 0) delivery.wake()
      }
    },
    { name: 'erasures', everyMs: 2000, run: createErasures({ sql, redis: app.redis, log: app.log }) },
    {
      name: 'end of a day',
      everyMs: 10 * 60_000,
      timeoutMs: LONG_RUN_MS,
      run: async () => {
        const closing = await closeDay(sql)
        if (closing === 'waits' || closing === 'locked') {
          app.log.info({ closing }, 'maintenance: the deliveries of the last days stay together for now')
        }
      }
    },
    {
      name: 'retention',
      everyMs: 10 * 60_000,
      timeoutMs: LONG_RUN_MS,
      run: async () => await removeOld(sql, retention)
    },
    {
      name: 'idle endpoints',
      everyMs: 60_000,
      run: async () => delivery.endpoints.removeIdle(IDLE_ENDPOINT_MS)
    }
  ].map(task => ({ ...task, startsAfterMs: task.everyMs }))

  let running: ReturnType<typeof startPeriodicTasks> | undefined
  app.addHook('onReady', async () => { running = startPeriodicTasks(tasks, app) })
  app.addHook('onClose', async () => await running?.stop())
}, { name: 'maintenance', dependencies: ['delivery', 'postgres', 'redis', 'loops'] })
