import { pgColumns } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'
import { fieldColumns } from './field-columns.ts'
import { identityColumns, identityKey } from '../db/job-identity.ts'
import type { Tx } from '../db/projector-position.ts'

/**
 * Inserts the rows of jobs that other producers added, and of submitted jobs that a restored Postgres has lost; sets
 * `n`.
 */
export async function insertRows (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  if (jobs.length === 0) return
  const key = identityColumns(jobs.map(({ identity }) => identity))
  const { texts } = pgColumns(jobs)
  const fields = fieldColumns(jobs)
  const rows = await tx<{ n: number, queue: string, id: string, ms: number, seq: number }[]>`
    insert into jobs.jobs (
      queue, id, generation_ms, generation_seq, user_id, name, slot, ours, enqueued_at,
      state, created_ms, started_ms, finished_ms, attempts_made, attempts_max, event_ms, event_seq,
      progress, progress_truncated, progress_count, progress_at_ms, samples, result, result_truncated, failed_reason
    )
    select queue, id, generation_ms, generation_seq, user_id, name, slot, generation_ms = 0, now(),
           state, created_ms, started_ms, finished_ms, attempts_made, attempts_max, event_ms, event_seq,
           progress::json, progress_truncated, progress_count, progress_at_ms, samples, result::json, truncated, error
    from unnest(
      ${key.queue}::text[], ${key.id}::text[], ${key.generationMs}::bigint[], ${key.generationSeq}::bigint[],
      ${texts('userId')}::text[], ${texts('name')}::text[], ${texts('slot')}::text[],
      ${fields.state}::smallint[], ${fields.createdMs}::bigint[], ${fields.startedMs}::bigint[], ${fields.finishedMs}::bigint[],
      ${fields.attemptsMade}::int[], ${fields.attemptsMax}::int[], ${fields.eventMs}::bigint[], ${fields.eventSeq}::bigint[],
      string_to_array(${fields.progress}, chr(30), ''), ${fields.progressTruncated}::boolean[],
      ${fields.progressCount}::int[], ${fields.progressAtMs}::bigint[],
      string_to_array(${fields.samples}, chr(30), ''),
      string_to_array(${fields.result}, chr(30), ''), ${fields.truncated}::boolean[], ${fields.error}::text[]
    ) as job (
      queue, id, generation_ms, generation_seq, user_id, name, slot,
      state, created_ms, started_ms, finished_ms, attempts_made, attempts_max, event_ms, event_seq,
      progress, progress_truncated, progress_count, progress_at_ms, samples, result, truncated, error
    )
    returning n, queue, id, generation_ms as ms, generation_seq as seq`
  const numbers = new Map(rows.map(({ n, queue, id, ms, seq }) =>
    [identityKey({ queue, id, generationMs: ms, generationSeq: seq }), n]))
  for (const job of jobs) job.n = numbers.get(identityKey(job.identity))
}
