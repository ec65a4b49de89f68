import type { JobEvent, JobWebhookEventType } from '@tidings/contracts'
import { formatEventId, type EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../../db/state-code.ts'
import { mapEvent } from '../mapping/map-event.ts'
import { ownWebhookOf } from '../ownership/find-owners.ts'
import { firstEndIdOf, withFirstEndId, type FirstEndId } from './first-end-id.ts'

/** Results of up to 64 KiB each. */
const PAGE = 500
/** An end may be published this long after the job had it. */
export const MAX_DELAY_MS = 3_600_000

/** Redis has lost the events above `from`, up to `to`. */
export type Loss = { from: EventId, to: EventId }

/** An end as it was published, and the id under which it was. */
export type StoredEnd = { event: JobEvent, firstId: EventId }

/** The row of a job that has ended. */
type EndedRow = {
  n: number
  queue: string
  id: string
  user_id: string
  name: string
  state: number
  generation_ms: number
  generation_seq: number
  created_ms: number
  attempts_max: number
  slot: string | null
  webhook_url: string | null
  webhook_event_type: JobWebhookEventType | null
  result: string | null
  result_truncated: boolean
  failed_reason: string | null
  finished_ms: number
} & FirstEndId

/** The ends of a loss that Postgres has, of all queues, newest first, page by page. Uses the index jobs_finished. */
export async function * storedEnds (sql: RawSql, { from, to }: Loss): AsyncGenerator<StoredEnd[]> {
  for (let before = { finished_ms: Number.MAX_SAFE_INTEGER, n: Number.MAX_SAFE_INTEGER }; ;) {
    const rows = await sql<EndedRow[]>`
      select n, queue, id, user_id, name, state, generation_ms, generation_seq, created_ms, attempts_max, slot, webhook_url,
        webhook_event_type, result::text as result, result_truncated, failed_reason, finished_ms, first_ms, first_seq
      from jobs.jobs ${withFirstEndId(sql)}
      where state >= 3 and finished_ms >= ${from.ms - MAX_DELAY_MS} and (finished_ms, n) < (${before.finished_ms}, ${before.n})
        and (event_ms, event_seq) > (${from.ms}, ${from.seq}) and (event_ms, event_seq) <= (${to.ms}, ${to.seq})
      order by finished_ms desc, n desc limit ${PAGE}`
    yield rows.map(row => ({ event: endOf(row), firstId: firstEndIdOf(row) }))
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    before = last
  }
}

/** The event as it was published, as far as the row has it. */
function endOf (row: EndedRow): JobEvent {
  const { queue, generation_ms: ms, generation_seq: seq } = row
  const owner = {
    userId: row.user_id,
    name: row.name,
    created: row.created_ms,
    attempts: row.attempts_max,
    ...(ms > 0 && { generation: formatEventId({ ms, seq }) }),
    ...(row.slot !== null && { slot: row.slot }),
    ...ownWebhookOf(row)
  }
  const fields = { returnvalue: row.result ?? 'null', failedReason: row.failed_reason ?? '' }
  const event = stateOf(row.state) as 'completed' | 'failed'
  const entry = { id: formatEventId({ ms: row.finished_ms, seq: 0 }), event, jobId: row.id, fields }
  const mapped = mapEvent(entry, { queue, owner, isCancelled: false })?.event as JobEvent
  return { ...(row.result_truncated ? truncated(mapped) : mapped), reconciled: true }
}

/** The whole value is beside the row, or was too large to keep. */
function truncated ({ result: _result, ...event }: JobEvent): JobEvent {
  return event.type === 'failed' ? { ...event, errorTruncated: true } : { ...event, resultTruncated: true }
}
