import { formatEventId } from '@tidings/job-events'
import { flagged, jsonText, jsonWith, type JsonText } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../db/state-code.ts'

/** A row as the statements of this folder select it, with the worker's JSON as text. */
export type SummaryRow = {
  n: number
  id: string
  name: string
  queue: string
  state: number
  progress: JsonText | null
  progress_truncated: boolean
  created_ms: number
  started_ms: number | null
  finished_ms: number | null
  event_ms: number | null
  event_seq: number | null
}

export type JobRow = SummaryRow & {
  attempts_made: number
  attempts_max: number
  result: JsonText | null
  /** Whether the result, or the error, was truncated. */
  result_truncated: boolean
  failed_reason: string | null
}

const NONE = jsonText(null)
const NO_PROGRESS = jsonText(0)

const COMMON_COLUMNS = [
  'n', 'id', 'name', 'queue', 'state', 'created_ms', 'started_ms', 'finished_ms', 'event_ms', 'event_seq'
]

/** The columns of both kinds of row, except for the progress. */
export const commonColumns = (sql: RawSql) => sql.unsafe(COMMON_COLUMNS.map(name => `jobs.${name}`).join(', '))
export const summaryColumns = (sql: RawSql) =>
  sql`${commonColumns(sql)}, jobs.progress::text as progress, jobs.progress_truncated`

/** The id of the last event of a row, in the format of clients. */
export function lastEventId (
  { event_ms: ms, event_seq: seq }: Pick<SummaryRow, 'event_ms' | 'event_seq'>
): string | null {
  return ms === null || seq === null ? null : formatEventId({ ms, seq })
}

/** A job in a list, with further members. */
export function summaryJson (row: SummaryRow, more: object = {}): JsonText {
  return jsonWith({ ...headOf(row), ...more }, 'progress', progressOf(row))
}

/** A single job. */
export function jobJson (row: JobRow): JsonText {
  const head = { ...headOf(row), attempts: { made: row.attempts_made, max: row.attempts_max } }
  const truncated = row.result_truncated ? true as const : undefined
  const withProgress = (object: object) => jsonWith(object, 'progress', progressOf(row))
  const state = stateOf(row.state)
  switch (state) {
    case 'completed': {
      const job = withProgress(flagged(head, { resultTruncated: truncated }))
      return joined(job, 'result', row.result ?? NONE)
    }
    case 'failed': {
      const failedReason = row.failed_reason ?? ''
      return withProgress(flagged({ ...head, failedReason }, { errorTruncated: truncated }))
    }
    case 'waiting':
    case 'active':
    case 'delayed': return withProgress(head)
    default: return state satisfies never
  }
}

function joined (object: JsonText, name: string, value: JsonText): JsonText {
  return `${object.slice(0, -1)},"${name}":${value}}` as JsonText
}

function headOf (row: SummaryRow) {
  return flagged({
    id: row.id,
    name: row.name,
    queue: row.queue,
    state: stateOf(row.state),
    timestamp: { created: row.created_ms, started: row.started_ms, finished: row.finished_ms },
    lastEventId: lastEventId(row)
  }, { progressTruncated: row.progress_truncated ? true : undefined })
}

function progressOf ({ progress, progress_truncated: isTruncated }: SummaryRow): JsonText {
  return progress ?? (isTruncated ? NONE : NO_PROGRESS)
}
