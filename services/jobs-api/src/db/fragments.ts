import type { RawSql } from '@tidings/service-kit'
import type { Tx } from './projector-position.ts'

/** CTEs that delete the timelines and large values of the jobs in `removed` (n and the columns of the identity). */
export const dependentsRemoved = (sql: RawSql | Tx) => sql`
  lines as (
    delete from jobs.timeline using removed where timeline.job = removed.n
  ), results as (
    delete from jobs.results using removed
    where results.queue = removed.queue and results.id = removed.id
      and results.generation_ms = removed.generation_ms and results.generation_seq = removed.generation_seq
  )`

/** A CTE that takes the jobs in `removed` (user_id, state) out of the totals of their users. */
export const countedOut = (sql: RawSql) => sql`
  counted as (
    insert into jobs.counts as counts (user_id, state, count)
    select user_id, state, -count(*) from removed group by user_id, state
    order by user_id, state
    on conflict (user_id, state) do update set count = counts.count + excluded.count
  )`
