import { DAY_MS, dropDays, type RawSql, type Run } from '@tidings/service-kit'
import { TIMELINE } from '../db/timeline-days.ts'
import type { Retention } from './in-batches.ts'

/** Jobs at a time. */
const BATCH = 5000

/**
 * Drops the days of the timeline that are older than finished jobs may become. Lines of jobs that outlive them (delayed
 * for longer, or retried since) are copied to `timeline_kept` first. To be called when no old job is left. Returns how
 * many days were dropped.
 */
export async function removeOldLines (sql: RawSql, { days, ...run }: Retention): Promise<number> {
  const before = Date.now() - days * DAY_MS
  const prepare = async ({ name }: { name: string }) => await keepLines(sql, name, run)
  const dropped = await dropDays(sql, TIMELINE, { before, signal: run.signal, prepare })
  if (dropped.length > 0) await removeOrphans(sql)
  return dropped.length
}

/**
 * Copies the lines of the jobs that are left. A job with lines in this day was added by its end, so it has one of the
 * lowest numbers: jobs are read from the start of their primary key, up to the highest number in the day, and few are
 * left there. Returns false if the signal aborts.
 */
async function keepLines (sql: RawSql, partition: string, { signal, alive }: Run): Promise<boolean> {
  const lines = sql.unsafe(partition)
  const [newest] = await sql<{ n: number | null }[]>`select max(job) as n from ${lines}`
  for (let after = 0; after < (newest?.n ?? 0);) {
    if (signal.aborted) return false
    const [page] = await sql<{ last: number | null }[]>`
      with page as materialized (
        select n from jobs.jobs where n > ${after} and n <= ${newest?.n ?? 0} order by n limit ${BATCH}
      ), kept as (
        insert into jobs.timeline_kept
        select line.* from page cross join lateral (select * from ${lines} where job = page.n offset 0) line
        on conflict do nothing
      )
      select max(n) as last from page`
    after = page?.last ?? Infinity
    alive?.()
  }
  return true
}

/** Lines whose job was removed while they were copied, and those outside of all days. */
async function removeOrphans (sql: RawSql): Promise<void> {
  for (const table of ['timeline_kept', 'timeline_default']) {
    await sql`
      delete from jobs.${sql(table)} line where not exists (select from jobs.jobs where n = line.job)`
  }
}
