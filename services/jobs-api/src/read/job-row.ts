import { formatEventId } from '@tidings/job-events'
import type { Job, JobSummary } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../db/state-code.ts'

/** A row as the statements of this folder select it. */
export type SummaryRow = {
  n: number
  id: string
  name: string
  queue: string
  state: number
  progress: unknown
  created_ms: number
  started_ms: number | null
  finished_ms: number | null
  event_ms: number | null
  event_seq: number | null
}

export type JobRow = SummaryRow & {
  attempts_made: number
  attempts_max: number
  result: unknown
  result_truncated: boolean
  failed_reason: string | null
}

const SUMMARY_COLUMNS = ['n', 'id', 'name', 'queue', 'state', 'progress', 'created_ms', 'started_ms', 'finished_ms', 'event_ms', 'event_seq']

export const summaryColumns = (sql: RawSql) => sql.unsafe(SUMMARY_COLUMNS.map(name => `jobs.${name}`).join(', '))

/** The event that a row knows last, in the form that clients see. */
export function lastEventId ({ event_ms: ms, event_seq: seq }: Pick<SummaryRow, 'event_ms' | 'event_seq'>): string | null {
  return ms === null || seq === null ? null : formatEventId({ ms, seq })
}

export function toSummary (row: SummaryRow): JobSummary {
  return {
    id: row.id,
    name: row.name,
    queue: row.queue,
    state: stateOf(row.state),
    progress: row.progress ?? 0,
    timestamp: { created: row.created_ms, started: row.started_ms, finished: row.finished_ms },
    lastEventId: lastEventId(row)
  }
}

export function toJob (row: JobRow): Job {
  const summary = toSummary(row)
  return {
    ...summary,
    attempts: { made: row.attempts_made, max: row.attempts_max },
    ...(summary.state === 'completed' && { result: row.result ?? null }),
    ...(summary.state === 'completed' && row.result_truncated && { resultTruncated: true as const }),
    ...(summary.state === 'failed' && { failedReason: row.failed_reason ?? '' })
  }
}
