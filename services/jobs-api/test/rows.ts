import type { Sql } from 'postgres'

type Rows = {
  userId: string
  count: number
  /** Of the first row; each further one is a millisecond newer. */
  createdMs?: number
  names?: number
  queues?: number
}

/**
 * Makes a user's jobs by SQL, states, names and queues spread evenly and
 * independently, with their counters; with the statistics and the visibility
 * map that a table in use has.
 */
export async function makeRows (sql: Sql, { userId, count, createdMs = 1_640_995_200_000, names = 7, queues = 3 }: Rows): Promise<void> {
  await sql`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms, started_ms, finished_ms, event_ms, event_seq, progress, result, failed_reason)
    select 'queue' || i / 5 % ${queues}::int, ${userId}::text || '-' || i, ${userId}, 'name' || i / 15 % ${names}::int, i % 5, ${createdMs}::bigint + i,
      case when i % 5 > 1 then ${createdMs}::bigint + i end, case when i % 5 > 2 then ${createdMs}::bigint + i end,
      ${createdMs}::bigint + i, 0, '50', case when i % 5 = 3 then '"done"'::json end, case when i % 5 = 4 then 'broken' end
    from generate_series(0, ${count - 1}::int) as i`
  await sql`
    insert into jobs.counts as counts select user_id, state, count(*) from jobs.jobs where user_id = ${userId} group by 1, 2
    on conflict (user_id, state) do update set count = excluded.count`
  await sql`vacuum analyze jobs.jobs, jobs.counts`
}
