import type { Sql, TransactionSql } from 'postgres'

type Rows = {
  userId: string
  count: number
  /** The first row's index, which determines its values; each row is a millisecond newer than the one before. */
  first?: number
  /** The creation time of the row with index 0. */
  createdMs?: number
  /** The number of names, or the name of all rows. */
  names?: number | string
  queues?: number | string
  /** The number of users that share the rows; more than one are called `<userId>-0`, `<userId>-1`, … */
  users?: number
}

/**
 * Generates jobs by SQL, with states, names and queues spread evenly and independently, with their counters, and with
 * the statistics and the visibility map of a table in use.
 */
export async function makeRows (sql: Sql, ...sets: Rows[]): Promise<void> {
  for (const rows of sets) await insertRows(sql, rows)
  await sql`
    insert into jobs.counts as counts select user_id, state, count(*) from jobs.jobs group by 1, 2
    on conflict (user_id, state) do update set count = excluded.count`
  await sql`vacuum analyze jobs.jobs, jobs.counts`
}

/** The same, several times faster for millions of rows: the indexes are created after the rows. */
export async function makeManyRows (sql: Sql, ...sets: Rows[]): Promise<void> {
  await sql.begin(async tx => {
    const indexes = await tx<{ name: string, definition: string }[]>`
      select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where indrelid = 'jobs.jobs'::regclass and not indisprimary`
    await tx`set local maintenance_work_mem = '256MB'`
    for (const { name } of indexes) await tx.unsafe(`drop index ${name}`)
    for (const rows of sets) await insertRows(tx, rows)
    for (const { definition } of indexes) await tx.unsafe(definition)
  })
  await makeRows(sql)
}

async function insertRows (
  sql: Sql | TransactionSql,
  { userId, count, first = 0, createdMs = 1_640_995_200_000, names = 7, queues = 3, users = 1 }: Rows
): Promise<void> {
  const queue = typeof queues === 'string' ? sql`${queues}` : sql`'queue' || i / 5 % ${queues}::int`
  const name = typeof names === 'string' ? sql`${names}` : sql`'name' || i / 15 % ${names}::int`
  const user = users === 1 ? sql`${userId}` : sql`${userId} || '-' || i % ${users}::int`
  await sql`
    insert into jobs.jobs (queue, id, user_id, name, state, created_ms, started_ms, finished_ms, event_ms, event_seq, progress, result, failed_reason)
    select ${queue}, ${userId}::text || '-' || i, ${user}, ${name}, i % 5, ${createdMs}::bigint + i,
      case when i % 5 > 1 then ${createdMs}::bigint + i end, case when i % 5 > 2 then ${createdMs}::bigint + i end,
      ${createdMs}::bigint + i, 0, '50', case when i % 5 = 3 then '"done"'::json end, case when i % 5 = 4 then 'broken' end
    from generate_series(${first}::int, ${first + count - 1}::int) as i`
}
