import { eventIdOf } from '@tidings/job-events'
import { booleanArray, pgColumns } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'
import type { Tx } from '../db/projector-position.ts'

/** Writes a row per event, except for progress. */
export async function writeTimeline (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  const lines = jobs.flatMap(({ n, events }) => events
    .filter(({ type }) => type !== 'progress')
    .map(({ eventId, type, timestamp, error, errorTruncated }) =>
      ({ job: n, ...eventIdOf(eventId), type, timestamp, error, errorTruncated: errorTruncated === true })))
  if (lines.length === 0) return
  const { numbers, texts } = pgColumns(lines)
  await tx`
    insert into jobs.timeline (job, event_ms, event_seq, type, timestamp, error, error_truncated)
    select * from unnest(
      ${numbers('job')}::bigint[], ${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[],
      ${texts('type')}::text[], ${numbers('timestamp')}::bigint[], ${texts('error')}::text[],
      ${booleanArray(lines.map(({ errorTruncated }) => errorTruncated))}::boolean[]
    )`
}
