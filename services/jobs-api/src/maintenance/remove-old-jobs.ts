import type { RawSql } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import { inPages } from './in-batches.ts'

/** Few, so that nobody waits long for their rows; a second's worth of jobs at most. */
const AT_A_TIME = 500
const DAY_MS = 86_400_000

/** Removes jobs that finished so many days ago, with all that belongs to them; counters follow. Returns how many went. */
export async function removeOldJobs (sql: RawSql, { days, signal }: { days: number, signal: AbortSignal }): Promise<number> {
  return await inPages(async size => await removeSome(sql, { before: Date.now() - days * DAY_MS, size }), { size: AT_A_TIME, signal })
}

/** Forgets who took the place of jobs so long ago. */
export async function forgetReplaced (sql: RawSql, { days, signal }: { days: number, signal: AbortSignal }): Promise<void> {
  await inPages(async size => {
    const { count } = await sql`
      delete from jobs.replaced where ctid = any(array(
        select ctid from jobs.replaced where replaced_at < now() - make_interval(days => ${days}) limit ${size}))`
    return count
  }, { size: AT_A_TIME, signal })
}

/** One statement: the oldest by the index on finished_ms; rows that somebody holds are left to the next time. */
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
    ), lines as (
      delete from jobs.timeline using removed where timeline.job = removed.n
    ), results as (
      delete from jobs.results using removed
      where results.queue = removed.queue and results.id = removed.id
        and results.generation_ms = removed.generation_ms and results.generation_seq = removed.generation_seq
    ), counted as (
      insert into jobs.counts as counts (user_id, state, count)
      select user_id, state, -count(*) from removed group by user_id, state
      order by user_id, state
      on conflict (user_id, state) do update set count = counts.count + excluded.count
    )
    select count(*)::int as removed from removed`
  return row?.removed ?? 0
}
