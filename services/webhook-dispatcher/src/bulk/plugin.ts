import fp from 'fastify-plugin'
import { DELIVERY_BULK_PREFIX } from '@tidings/contracts'
import {
  createBulkStore, publishBulks, runBulks, startPeriodicTasks, type BulkRow, type BulkStore, type Run
} from '@tidings/service-kit'
import { durationMs } from '../duration.ts'
import { redeliverPage } from './redeliver-page.ts'

const POLL_MS = 500
const RETENTION_MS = 600_000
const DAY_MS = 86_400_000

/** Decorates `app.bulks`: bulk redeliveries. Every replica works on them. */
export const bulks = fp(async function bulks (app) {
  const { sql, redis, log, loops, config, delivery } = app
  const store = createBulkStore(sql, 'webhooks')
  const publish = publishBulks({ redis, prefix: DELIVERY_BULK_PREFIX, log })
  const retentionDays = Math.ceil(durationMs(config.WEBHOOK_DELIVERY_RETENTION) / DAY_MS)

  async function runPage (bulk: BulkRow) {
    const page = await redeliverPage(sql, store, bulk)
    if (page.row) delivery.wake()
    return page
  }

  const tasks = [
    {
      name: 'bulk redeliveries',
      everyMs: POLL_MS,
      run: async (run: Run) => await runBulks({ store, runPage, publish, log }, run)
    },
    { name: 'old bulk redeliveries', everyMs: RETENTION_MS, run: async () => await store.removeOld(retentionDays) > 0 }
  ]
  let running: ReturnType<typeof startPeriodicTasks> | undefined
  app.decorate('bulks', store)
  app.addHook('onReady', async () => { running = startPeriodicTasks(tasks, { log, loops }) })
  app.addHook('onClose', async () => {
    await running?.stop()
    publish.stop()
  })
}, { name: 'bulks', dependencies: ['delivery', 'postgres', 'redis', 'loops'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** Bulk redeliveries. */
    bulks: BulkStore
  }
}
