import type { PendingQuery, Row } from 'postgres'
import { stateAfter, type JobEvent, type JobTimeline } from '@tidings/contracts'
import { formatEventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../db/state-code.ts'
import { firstEventMs } from '../db/timeline-days.ts'
import type { FoundJob } from './find-jobs.ts'

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

/** What identifies the lines of a job, and bounds the days in which they may be. */
export type LinesKey = Pick<FoundJob, 'n' | 'created_ms' | 'generation_ms'>

/** Reads the published events of a job, oldest first, without progress. */
export async function readTimeline (sql: RawSql, job: LinesKey & Pick<FoundJob, 'state'>): Promise<JobTimeline> {
  const rows = await selectLines(sql, job)
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

/** The newest lines of a job, without progress, read backwards. */
export function selectLines (sql: RawSql, job: LinesKey) {
  const newest = sql`order by event_ms desc, event_seq desc limit ${MAX_EVENTS}`
  return sql<TimelineRow[]>`
    select distinct event_ms, event_seq, type, timestamp, error, error_truncated
    from (${jobLines(sql, job, sql`type <> 'progress' ${newest}`)}) line ${newest}`
}

/**
 * Lines of a job under a condition (and an order): by the primary key of each day since the job began, and of
 * `timeline_kept`, which has those that outlived their day. For a moment a line is in both.
 */
export function jobLines (sql: RawSql, job: LinesKey, condition: PendingQuery<Row[]>) {
  const first = firstEventMs({ createdMs: job.created_ms, generationMs: job.generation_ms })
  return sql`
    (select * from jobs.timeline where job = ${job.n} and event_ms >= ${first} and ${condition})
    union all
    (select * from jobs.timeline_kept where job = ${job.n} and ${condition})`
}
