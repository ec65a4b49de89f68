import { eventIdOf } from '@tidings/job-events'
import { numberArray, textArray } from '@tidings/service-kit'
import type { ChangedJob } from './changed-job.ts'
import type { Tx } from './position.ts'

/** One row per event but progress. */
export async function writeTimeline (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  const lines = jobs.flatMap(({ n, events }) => events
    .filter(({ type }) => type !== 'progress')
    .map(({ eventId, type, timestamp, error }) => ({ job: n as number, id: eventIdOf(eventId), type, timestamp, error })))
  if (lines.length === 0) return
  await tx`
    insert into jobs.timeline (job, event_ms, event_seq, type, timestamp, error)
    select * from unnest(
      ${numberArray(lines.map(({ job }) => job))}::bigint[], ${numberArray(lines.map(({ id }) => id.ms))}::bigint[], ${numberArray(lines.map(({ id }) => id.seq))}::bigint[],
      ${textArray(lines.map(({ type }) => type))}::text[], ${numberArray(lines.map(({ timestamp }) => timestamp))}::bigint[], ${textArray(lines.map(({ error }) => error))}::text[]
    )`
}
