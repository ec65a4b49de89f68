import type { FinishedJobCounts, JobStats } from '@tidings/contracts'
import { statsOf, type RawSql, type StatsRange } from '@tidings/service-kit'
import { stateCode } from '../db/state-code.ts'

/** Finished jobs that statistics read: 0.1 to 0.5 s of Postgres. */
export const STATS_ROWS = 200_000

const COMPLETED = stateCode('completed')
const FAILED = stateCode('failed')

export type StatsFilter = StatsRange & { userId: string, name?: string | undefined, queue?: string | undefined }

type CountRow = {
  /** Number of the bucket; null for all. */
  bucket: number | null
  scanned: number
  oldest: number | null
  completed: number
  failed: number
  durations: [number, number] | null
}

const NONE: FinishedJobCounts = { completed: 0, failed: 0, durationMs: { p50: null, p95: null } }

/** Counts the jobs of a user that finished in a time, by outcome, with percentiles of their duration. */
export async function readStats (sql: RawSql, { userId, name, queue, ...range }: StatsFilter): Promise<JobStats> {
  const rows = await selectStats(sql, { userId, name, queue, ...range })
  const all = rows.find(({ bucket }) => bucket === null)
  return statsOf(range, {
    rows: rows.map(row => ({ bucket: row.bucket, counts: countsOf(row) })),
    none: NONE,
    oldest: all && all.scanned >= STATS_ROWS ? all.oldest ?? undefined : undefined
  })
}

/**
 * Reads ranges of the index jobs_user_finished alone, newest first and up to the bound; it includes the start, the name
 * and the queue of each job.
 */
export function selectStats (sql: RawSql, { userId, name, queue, from, to, step }: StatsFilter) {
  const range = (state: number) => sql`
    (select finished_ms, n, state, started_ms, name, queue from jobs.jobs
     where user_id = ${userId} and state >= 3 and state = ${state} and finished_ms >= ${from} and finished_ms < ${to}
     order by finished_ms desc, n desc limit ${STATS_ROWS})`
  const matches = sql`(${name ?? null}::text is null or name = ${name ?? null})
    and (${queue ?? null}::text is null or queue = ${queue ?? null})`
  return sql<CountRow[]>`
    select ((finished_ms - ${from}) / ${step}::bigint)::int as bucket, count(*)::int as scanned, min(finished_ms) as oldest,
      (count(*) filter (where state = ${COMPLETED} and ${matches}))::int as completed,
      (count(*) filter (where state = ${FAILED} and ${matches}))::int as failed,
      to_json(percentile_disc(array[0.5, 0.95]) within group (order by finished_ms - started_ms)
        filter (where ${matches} and started_ms is not null)) as durations
    from (
      select * from (${range(COMPLETED)} union all ${range(FAILED)}) as ranges
      order by finished_ms desc, n desc limit ${STATS_ROWS}
    ) as jobs
    group by grouping sets ((1), ())`
}

function countsOf ({ completed, failed, durations }: CountRow): FinishedJobCounts {
  return { completed, failed, durationMs: { p50: durations?.[0] ?? null, p95: durations?.[1] ?? null } }
}
