import type { RawSql } from '@tidings/service-kit'

/**
 * Returns those of the jobs that their users asked to cancel. A cancel request is written before anything is removed;
 * of a reused id the newest incarnation counts.
 */
export async function findCancelled (sql: RawSql, queue: string, jobIds: string[]): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from (
      select distinct on (id) id, cancel_requested_at from jobs.jobs
      where queue = ${queue} and id = any(${jobIds}::text[])
      order by id, generation_ms desc, generation_seq desc
    ) newest
    where cancel_requested_at is not null`
  return new Set(rows.map(({ id }) => id))
}
