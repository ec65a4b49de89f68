import type { FastifyBaseLogger } from 'fastify'
import type { Run } from '../periodic.ts'
import { isActive, type BulkRow } from './bulk-row.ts'
import type { BulkStore } from './bulk-store.ts'

/** Bulk actions that are worked on in one round, each of another user, and of these at a time. */
const MAX_BULKS = 100
const CONCURRENCY = 4
/** Unfinished after so long, a bulk action fails: its queue, or its endpoint, does not come back. */
const MAX_AGE_MS = 24 * 3_600_000
const TOO_OLD = 'It was not finished within 24 hours: the queue or the endpoints of the rest are not available'

type RunContext = {
  store: BulkStore
  /**
   * Works on a page of items. `hasItems` is false where none was left: of a bulk action that was stopped, none that
   * was begun. `hasMore`: whether the next page can follow at once.
   */
  runPage: (bulk: BulkRow) => Promise<{ row: BulkRow | undefined, hasItems: boolean, hasMore: boolean }>
  publish: (bulk: BulkRow) => void
  log: FastifyBaseLogger
}

/** Takes the oldest bulk action of each user one page further; returns whether more can be done at once. */
export async function runBulks (
  { store, runPage, publish, log }: RunContext, { signal, alive }: Run
): Promise<boolean> {
  const waiting = await store.open(MAX_BULKS)
  let hasMore = false
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (let bulk = waiting.shift(); bulk && !signal.aborted; bulk = waiting.shift()) {
      hasMore = await advance(bulk) || hasMore
      alive?.()
    }
  }))
  return hasMore

  async function advance (bulk: BulkRow): Promise<boolean> {
    try {
      if (isActive(bulk) && Date.now() - bulk.created_at.getTime() > MAX_AGE_MS) {
        const failed = await store.end(bulk.n, 'failed', TOO_OLD)
        if (failed) publish(failed)
        return true
      }
      if (bulk.state === 'waiting') await store.markRunning(bulk.n)
      const { row, hasItems, hasMore } = await runPage(bulk)
      if (row) publish(row)
      if (hasItems) return hasMore
      const finished = await store.end(bulk.n, 'finished')
      await store.settle(bulk.n)
      publish(finished ?? bulk)
      log.info({ bulkId: bulk.id, action: bulk.action, matched: bulk.matched }, 'bulk: ended')
      return true
    } catch (err) {
      log.warn({ err, bulkId: bulk.id }, 'bulk: page failed, will be tried again')
      return false
    }
  }
}
