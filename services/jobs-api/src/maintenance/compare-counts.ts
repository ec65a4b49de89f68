import type { RawSql } from '@tidings/service-kit'

type CountDifference = { user_id: string, state: number, counted: number, counter: number }

/** Counters that differ from a full count, both as of one moment. */
export async function compareCounts (sql: RawSql): Promise<CountDifference[]> {
  return await sql.begin('isolation level repeatable read read only', async tx => {
    return await tx<CountDifference[]>`
      select user_id, state, coalesce(counted.count, 0)::int8 as counted, coalesce(counts.count, 0)::int8 as counter
      from (select user_id, state, count(*) from jobs.jobs group by user_id, state) counted
      full join jobs.counts using (user_id, state)
      where coalesce(counted.count, 0) <> coalesce(counts.count, 0)
      order by user_id, state`
  })
}
