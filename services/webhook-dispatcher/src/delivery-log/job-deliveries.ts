import { MAX_JOB_DELIVERIES, type Delivery, type JobDeliveries } from '@tidings/contracts'
import { compareEventIds, eventIdOf } from '@tidings/job-events'
import { selectionOf } from './delivery-filter.ts'
import { showDeliveries, type Clients } from './list-deliveries.ts'
import { scanDeliveries } from './scan-deliveries.ts'

/** A user's job; without a queue the one whose event was delivered last. */
type JobKey = { userId: string, jobId: string, queue?: string | undefined }

/**
 * The deliveries of a job by event: the newest 500. Nothing is known of jobs without deliveries, so those, unknown jobs
 * and jobs of other users all have none.
 */
export async function listJobDeliveries (
  { sql, db }: Clients, { userId, jobId, queue }: JobKey
): Promise<JobDeliveries> {
  const owner = { userId }
  const named = queue ?? await newestQueue({ sql, db }, { userId, jobId })
  if (named === null) return { jobId, queue: null, events: [] }
  const { ids, next } = await scanDeliveries(
    sql, selectionOf(owner, { jobId, queue: named }), { limit: MAX_JOB_DELIVERIES }
  )
  // The job of a redelivery or replay is known here even if its payload is no longer kept.
  const rows = (await showDeliveries(db, ids)).map(row => ({ ...row, jobId, queue: named }))
  return {
    jobId,
    queue: rows.length > 0 ? named : null,
    events: byEvent(rows.toReversed()),
    ...(next !== null && { truncated: true as const })
  }
}

/** Ids of jobs repeat across queues. */
async function newestQueue ({ sql, db }: Clients, { userId, jobId }: JobKey): Promise<string | null> {
  const { ids } = await scanDeliveries(sql, selectionOf({ userId }, { jobId, origin: 'event' }), { limit: 1 })
  const [newest] = await showDeliveries(db, ids)
  return newest?.queue ?? null
}

function byEvent (rows: Delivery[]): JobDeliveries['events'] {
  return [...Map.groupBy(rows, ({ eventId }) => eventId)]
    .map(([eventId, deliveries]) => ({ eventId, eventType: deliveries[0]?.eventType ?? '', deliveries }))
    .sort((a, b) => compareEventIds(eventIdOf(a.eventId), eventIdOf(b.eventId)))
}
