import { pgColumns } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'
import { stateCode } from '../db/state-code.ts'
import { fieldColumns } from './field-columns.ts'
import type { Tx } from '../db/projector-position.ts'

const COMPLETED = stateCode('completed')

/**
 * Updates all rows of a batch, which are locked already, in one statement: a nested loop over the primary key. Any
 * event proves that the job was enqueued; the arguments of `queue.add` are of no use once the job is completed.
 */
export async function updateRows (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  if (jobs.length === 0) return
  const fields = fieldColumns(jobs)
  await tx`
    update jobs.jobs set
      state = job.state,
      created_ms = job.created_ms,
      started_ms = job.started_ms,
      finished_ms = job.finished_ms,
      attempts_made = job.attempts_made,
      attempts_max = job.attempts_max,
      event_ms = job.event_ms,
      event_seq = job.event_seq,
      progress = case when job.sets_progress then job.progress::json else jobs.progress end,
      progress_truncated = case when job.sets_progress then job.progress_truncated else jobs.progress_truncated end,
      progress_count = job.progress_count,
      progress_at_ms = job.progress_at_ms,
      samples = case when job.keeps_samples then case when job.samples is null then jobs.samples else concat_ws(',', jobs.samples, job.samples) end end,
      result = case when job.sets_outcome then job.result::json else jobs.result end,
      result_truncated = case when job.sets_outcome then job.truncated else jobs.result_truncated end,
      failed_reason = case when job.sets_outcome then job.error else jobs.failed_reason end,
      enqueued_at = coalesce(jobs.enqueued_at, now()),
      data = case when job.state = ${COMPLETED} then null else jobs.data end,
      options = case when job.state = ${COMPLETED} then null else jobs.options end
    from unnest(
      ${pgColumns(jobs).numbers('n')}::bigint[],
      ${fields.state}::smallint[], ${fields.createdMs}::bigint[], ${fields.startedMs}::bigint[], ${fields.finishedMs}::bigint[],
      ${fields.attemptsMade}::int[], ${fields.attemptsMax}::int[], ${fields.eventMs}::bigint[], ${fields.eventSeq}::bigint[],
      ${fields.setsProgress}::boolean[], string_to_array(${fields.progress}, chr(30), ''), ${fields.progressTruncated}::boolean[],
      ${fields.progressCount}::int[], ${fields.progressAtMs}::bigint[], ${fields.keepsSamples}::boolean[],
      string_to_array(${fields.samples}, chr(30), ''), ${fields.setsOutcome}::boolean[],
      string_to_array(${fields.result}, chr(30), ''), ${fields.truncated}::boolean[], ${fields.error}::text[]
    ) as job (
      n, state, created_ms, started_ms, finished_ms, attempts_made, attempts_max, event_ms, event_seq,
      sets_progress, progress, progress_truncated, progress_count, progress_at_ms, keeps_samples, samples, sets_outcome, result, truncated, error
    )
    where jobs.n = job.n`
}
