import { DAY_MS, type RawSql } from '@tidings/service-kit'
import { countedOut, dependentsRemoved } from '../db/fragments.ts'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import { inBatches, type Retention } from './in-batches.ts'

/** Small, so that nothing waits long for a locked row; a second's worth of jobs at most. */
const BATCH = 500

/**
 * Removes jobs that finished so many days ago, with everything that belongs to them but the lines of their timelines,
 * and counts them out. Returns how many.
 */
export async function removeOldJobs (sql: RawSql, { days, ...run }: Retention): Promise<number> {
  const removeBatch = async (size: number) => await removeSome(sql, { before: Date.now() - days * DAY_MS, size })
  return await inBatches(removeBatch, BATCH, run)
}

/** Purges the records of jobs that were replaced so many days ago. */
export async function purgeReplaced (sql: RawSql, { days, ...run }: Retention): Promise<void> {
  await inBatches(async size => {
    const { count } = await sql`
      delete from jobs.replaced where ctid = any(array(
        select ctid from jobs.replaced where replaced_at < now() - make_interval(days => ${days}) limit ${size}))`
    return count
  }, BATCH, run)
}

/** One statement: the oldest jobs by the index on finished_ms; locked rows are left to the next run. */
async function removeSome (sql: RawSql, { before, size }: { before: number, size: number }): Promise<number> {
  const [row] = await sql<{ removed: number }[]>`
    with old as (
      select n from jobs.jobs
      where state >= ${FIRST_FINAL_STATE} and finished_ms < ${before}
      order by finished_ms limit ${size}
      for update skip locked
    ), removed as (
      delete from jobs.jobs using old where jobs.n = old.n
      returning jobs.n, queue, id, generation_ms, generation_seq, user_id, state
    ), ${dependentsRemoved(sql)}, ${countedOut(sql)}
    select count(*)::int as removed from removed`
  return row?.removed ?? 0
}
