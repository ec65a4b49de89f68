import { pgColumns, numberArray } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'
import { dependentsRemoved, linesRemoved } from '../db/fragments.ts'
import { identityColumns } from '../db/job-identity.ts'
import type { Tx } from '../db/projector-position.ts'
import { firstEventMs } from '../db/timeline-days.ts'

/** Removes the rows of replaced jobs, with everything that belongs to them, and records their successors. */
export async function removeReplaced (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  if (jobs.length === 0) return
  const first = Math.min(...jobs.map(({ identity, after }) =>
    firstEventMs({ createdMs: after.createdMs, generationMs: identity.generationMs })))
  await tx`
    with removed as (
      delete from jobs.jobs where n = any(${numberArray(jobs.flatMap(({ n }) => n ?? []))}::bigint[])
      returning n, queue, id, generation_ms, generation_seq
    ), ${linesRemoved(tx, first)}, ${dependentsRemoved(tx)}
    select from removed`
  await recordSuccessors(tx, jobs)
}

/** A successor with the same id needs no record. */
async function recordSuccessors (tx: Tx, jobs: ChangedJob[]): Promise<void> {
  const others = jobs.filter(({ identity, after }) =>
    after.replaced?.by !== undefined && after.replaced.by !== identity.id)
  // An id may be replaced twice within a batch: the last counts, since a statement cannot change a row twice.
  const byId = new Map(others.map(({ userId, identity, after }) =>
    [`${userId}\n${identity.queue}\n${identity.id}`, { userId, by: after.replaced?.by, identity }]))
  const rows = [...byId.values()]
  if (rows.length === 0) return
  const { texts } = pgColumns(rows)
  const { queue, id } = identityColumns(rows.map(({ identity }) => identity))
  await tx`
    insert into jobs.replaced as before (user_id, queue, id, replaced_by, replaced_at)
    select *, now() from unnest(${texts('userId')}::text[], ${queue}::text[], ${id}::text[], ${texts('by')}::text[])
    on conflict (user_id, queue, id) do update set replaced_by = excluded.replaced_by, replaced_at = excluded.replaced_at`
}
