import type { KnownRow } from './apply-batch.ts'
import type { identityColumns } from '../db/job-identity.ts'
import type { Tx } from '../db/projector-position.ts'

type Row = {
  n: number
  queue: string
  id: string
  generation_ms: number
  generation_seq: number
  state: number
  created_ms: number
  started_ms: number | null
  finished_ms: number | null
  attempts_made: number
  attempts_max: number
  progress_count: number
  progress_at_ms: number | null
  event_ms: number | null
  event_seq: number | null
}

/**
 * Selects and locks the rows of a batch, in the order of n, so that two transactions never deadlock. The arrays are in
 * sub-selects, so that Postgres does not see their length and keeps one plan: planning took three times as long as the
 * rest.
 */
export async function lockRows (
  tx: Tx, { queue, id, generationMs, generationSeq }: ReturnType<typeof identityColumns>
): Promise<KnownRow[]> {
  const rows = await tx<Row[]>`
    select n, queue, id, generation_ms, generation_seq, state, created_ms, started_ms, finished_ms,
           attempts_made, attempts_max, progress_count, progress_at_ms, event_ms, event_seq
    from jobs.jobs
    where (queue, id, generation_ms, generation_seq) in (
      select * from unnest((select ${queue}::text[]), (select ${id}::text[]), (select ${generationMs}::bigint[]), (select ${generationSeq}::bigint[]))
    )
    order by n
    for update`
  return rows.map(row => ({
    n: row.n,
    queue: row.queue,
    id: row.id,
    generationMs: row.generation_ms,
    generationSeq: row.generation_seq,
    state: row.state,
    createdMs: row.created_ms,
    startedMs: row.started_ms,
    finishedMs: row.finished_ms,
    attemptsMade: row.attempts_made,
    attemptsMax: row.attempts_max,
    progressCount: row.progress_count,
    progressAtMs: row.progress_at_ms,
    event: row.event_ms === null || row.event_seq === null ? null : { ms: row.event_ms, seq: row.event_seq }
  }))
}
