import fp from 'fastify-plugin'
import { BULK_LEASE_KEY } from '@tidings/contracts'
import { createStreamWriter } from '@tidings/job-events'
import {
  createBulkStore, isActive, publishBulks, runBulks, runPeriodically, type BulkRow, type BulkStore, type Run
} from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { holdLease } from '../lease/hold-lease.ts'
import { cancelItems } from './cancel-items.ts'
import { endItems, nextItems } from './items.ts'
import { retryItems } from './retry-items.ts'

const POLL_MS = 500
const RETENTION_MS = 600_000

/** Decorates `app.bulks`: the bulk actions on jobs. One replica works on them, page by page. */
export const bulks = fp<{ config: Config }>(async function bulks (app, { config }) {
  const { sql, redis, log, loops, projection } = app
  const store = createBulkStore(sql, 'jobs')
  const publish = publishBulks({ redis, prefix: '', log })
  const findQueue = (name: string) => app.findQueue(name)
  const context = { sql, redis, projection, stream: createStreamWriter(redis), findQueue }

  async function runPage (bulk: BulkRow) {
    const items = await nextItems(sql, bulk.n, { begunOnly: !isActive(bulk) })
    if (items.length === 0) return { row: undefined, hasItems: false, hasMore: false }
    const work = bulk.action === 'cancel' ? cancelItems : retryItems
    const outcomes = await work(bulk.n, items, { ...context, userId: bulk.user_id })
    return { row: await endItems(sql, store, bulk.n, outcomes), hasItems: true, hasMore: true }
  }

  const tasks = [
    {
      name: 'bulk actions',
      everyMs: POLL_MS,
      run: async (run: Run) => await runBulks({ store, runPage, publish, log }, run)
    },
    {
      name: 'old bulk actions',
      everyMs: RETENTION_MS,
      run: async () => await store.removeOld(config.JOB_RETENTION_DAYS) > 0
    }
  ]
  const work = async (signal: AbortSignal) => {
    await Promise.all(tasks.map(async task => await runPeriodically(task, { signal, log, loops })))
  }
  const lease = holdLease({ redis, key: BULK_LEASE_KEY, ttlMs: config.LEASE_MS, loops, log, work })
  app.decorate('bulks', store)
  app.addHook('onClose', async () => {
    await lease.stop()
    publish.stop()
  })
}, { name: 'bulks', dependencies: ['postgres', 'redis', 'loops', 'projector', 'queues'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** The bulk actions on jobs. */
    bulks: BulkStore
  }
}
