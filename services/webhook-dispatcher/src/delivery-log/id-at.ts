import type { Sql } from '../db/sql.ts'

/** More than the steps that halve the range of all ids. */
const MAX_STEPS = 64

/**
 * The lowest id of the deliveries created at or after a time, in milliseconds; above all ids where there is none. Ids
 * grow with the time of creation, up to the time that a statement may take (`DISORDER_MS`), so it is found by halving:
 * one descent of the primary key for each of about 30 steps.
 */
export async function idAt (sql: Sql, ms: number): Promise<number> {
  const [row] = await sql<{ low: number }[]>`
    with recursive halves (low, high, step) as (
      select coalesce(min(id), 1), coalesce(max(id), 0) + 1, 0 from (
        (select id from webhooks.all_deliveries order by id limit 1) union all (select id from webhooks.all_deliveries order by id desc limit 1)) ends
      union all
      select case when found.is_older then found.id + 1 else halves.low end, case when found.is_older then halves.high else middle.id end, step + 1
      from halves
      cross join lateral (select halves.low + (halves.high - halves.low) / 2 as id) middle
      left join lateral (
        select d.id, d.created_at < to_timestamp(${ms}::float8 / 1000) as is_older from webhooks.all_deliveries d
        where d.id >= middle.id and d.id < halves.high order by d.id limit 1) found on true
      where halves.low < halves.high and step < ${MAX_STEPS}
    )
    select low from halves order by step desc limit 1`
  return row?.low ?? 0
}
