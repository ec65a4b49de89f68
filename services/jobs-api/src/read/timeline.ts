import { stateAfter, type JobEvent, type JobTimeline } from '@tidings/contracts'
import { formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../db/state-code.ts'

/** More than a job of 100 attempts can have; a job that is reopened again and again shows its newest events. */
const MAX_EVENTS = 1000

type TimelineRow = {
  event_ms: number
  event_seq: number
  type: JobEvent['type']
  timestamp: number
  error: string | null
  error_truncated: boolean
}

/** Reads the published events of a job, oldest first, without progress. */
export async function readTimeline (sql: RawSql, job: { n: number, state: number }): Promise<JobTimeline> {
  // One range of the primary key, read backwards.
  const rows = await sql<TimelineRow[]>`
    select event_ms, event_seq, type, timestamp, error, error_truncated from jobs.timeline
    where job = ${job.n} order by event_ms desc, event_seq desc limit ${MAX_EVENTS}`
  const events = rows.toReversed().map(({ type, timestamp, error, ...row }) => ({
    eventId: formatEventId({ ms: row.event_ms, seq: row.event_seq }),
    type,
    state: stateAfter(type) ?? stateOf(job.state),
    timestamp,
    ...(error !== null && { error }),
    ...(row.error_truncated && { errorTruncated: true as const })
  }))
  return { events }
}
