import type { RawSql } from '@tidings/service-kit'

/** Which of these jobs of ours their users asked to cancel. It was written down before anything was removed. */
export async function findCancelled (sql: RawSql, queue: string, jobIds: string[]): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from jobs.jobs
    where queue = ${queue} and id = any(${jobIds}::text[]) and cancel_requested_at is not null`
  return new Set(rows.map(({ id }) => id))
}
