import type { PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import { isItemFault, type RawSql } from '@tidings/service-kit'
import type { FindTargets } from './job-webhooks.ts'
import { orderingGroups, matchWebhooks, type FanOut } from './match-webhooks.ts'
import { findPendingGroups, type PendingGroup } from './find-pending-groups.ts'
import type { SkippedEvent } from './skipped-events.ts'

export type PreparedBatch = {
  fanOuts: FanOut[]
  pending: PendingGroup[]
  /** Events that Postgres refuses: a text with NUL, say, or one too long for an index. */
  skipped: SkippedEvent[]
}

type PrepareOptions = { sql: RawSql, findTargets: FindTargets, workerId: number }

/**
 * Reads what delivering events needs. Where Postgres refuses the batch, it is halved until the bad events are isolated.
 */
export async function prepareBatch (events: PublishedJobEvent[], options: PrepareOptions): Promise<PreparedBatch> {
  const { sql, findTargets, workerId } = options
  try {
    const fanOuts = matchWebhooks(events, await findTargets(events))
    return { fanOuts, pending: await findPendingGroups(sql, orderingGroups(fanOuts), workerId), skipped: [] }
  } catch (err) {
    if (!isItemFault(err)) throw err
    const middle = events.length >> 1
    if (middle === 0) {
      const skipped = events.map(({ eventId }) => ({ id: eventIdOf(eventId), reason: String(err) }))
      return { fanOuts: [], pending: [], skipped }
    }
    const older = await prepareBatch(events.slice(0, middle), options)
    const newer = await prepareBatch(events.slice(middle), options)
    return {
      fanOuts: [...older.fanOuts, ...newer.fanOuts],
      pending: [...older.pending, ...newer.pending],
      skipped: [...older.skipped, ...newer.skipped]
    }
  }
}
