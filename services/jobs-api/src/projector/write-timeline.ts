import { eventIdOf } from '@tidings/job-events'
import { booleanArray, pgColumns } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'
import type { Tx } from '../db/projector-position.ts'

/**
 * Writes a row per event, except for progress. To be called before the rows are updated: the line that carries samples
 * takes those that the row has collected.
 */
export async function writeTimeline (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  const lines = jobs.flatMap(linesOf)
  if (lines.length === 0) return
  const { numbers, texts, json } = pgColumns(lines)
  await tx`
    insert into jobs.timeline (job, event_ms, event_seq, type, timestamp, error, error_truncated, samples)
    select job, event_ms, event_seq, type, timestamp, error, error_truncated, case when carries then (
      select '[' || nullif(concat_ws(',', collected.samples, line.samples), '') || ']'
      from jobs.jobs collected where collected.n = line.job)::json end
    from unnest(
      ${numbers('job')}::bigint[], ${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[],
      ${texts('type')}::text[], ${numbers('timestamp')}::bigint[], ${texts('error')}::text[],
      ${booleanArray(lines.map(({ errorTruncated }) => errorTruncated === true))}::boolean[],
      ${booleanArray(lines.map(({ carries }) => carries))}::boolean[], string_to_array(${json('samples')}, chr(30), '')
    ) as line (job, event_ms, event_seq, type, timestamp, error, error_truncated, carries, samples)`
}

function linesOf ({ n: job, events, carrier, samples }: ChangedJob) {
  return events.filter(event => event.type !== 'progress' || event === carrier).map(event => {
    const { eventId, type, timestamp, attemptError, error = attemptError, errorTruncated } = event
    const carries = event === carrier
    const line = { job, ...eventIdOf(eventId), type, timestamp, error, errorTruncated }
    return { ...line, carries, samples: carries ? samples : null }
  })
}
