import type { RawSql } from '@tidings/service-kit'
import type { Tx } from './projector-position.ts'

/**
 * CTEs that delete the large values of the jobs in `removed` (n and the columns of the identity), and their lines that
 * have outlived a day of the timeline. Lines in the days go with the days.
 */
export const dependentsRemoved = (sql: RawSql | Tx) => sql`
  kept as (
    delete from jobs.timeline_kept where job = any(array(select n from removed))
  ), results as (
    delete from jobs.results using removed
    where results.queue = removed.queue and results.id = removed.id
      and results.generation_ms = removed.generation_ms and results.generation_seq = removed.generation_seq
  )`

/**
 * A CTE that deletes the timelines of the jobs in `removed`, where that cannot wait for their days to go. An array, so
 * that Postgres looks for the jobs in the index of each day, whatever it believes about their number.
 */
export const linesRemoved = (sql: RawSql | Tx, fromMs: number) => sql`
  lines as (
    delete from jobs.timeline where job = any(array(select n from removed)) and event_ms >= ${fromMs}
  )`

/** A CTE that takes the jobs in `removed` (user_id, state) out of the totals of their users. */
export const countedOut = (sql: RawSql | Tx) => sql`
  counted as (
    insert into jobs.counts as counts (user_id, state, count)
    select user_id, state, -count(*) from removed group by user_id, state
    order by user_id, state
    on conflict (user_id, state) do update set count = counts.count + excluded.count
  )`
