import type { JobStats, JobStatsBucket } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { stateCode } from '../db/state-code.ts'
import type { StatsRange } from './stats-range.ts'

/** Finished jobs that statistics read: 0.1 to 0.5 s of Postgres. */
export const STATS_ROWS = 200_000

const COMPLETED = stateCode('completed')
const FAILED = stateCode('failed')

export type StatsFilter = StatsRange & { userId: string, name?: string | undefined, queue?: string | undefined }

type BucketRow = {
  bucket: number
  scanned: number
  oldest: number
  completed: number
  failed: number
  p50: number | null
  p95: number | null
}

/** Counts the jobs of a user that finished in a time, by outcome, with percentiles of their duration. */
export async function readStats (sql: RawSql, filter: StatsFilter): Promise<JobStats> {
  const { from, to, step } = filter
  const rows = await selectStats(sql, filter)
  const byBucket = new Map(rows.map(row => [row.bucket, row]))
  const buckets = Array.from({ length: Math.ceil((to - from) / step) }, (_, i): JobStatsBucket => {
    const { completed = 0, failed = 0, p50 = null, p95 = null } = byBucket.get(i) ?? {}
    return { from: from + i * step, completed, failed, durationMs: { p50, p95 } }
  })
  const isPartial = rows.reduce((sum, { scanned }) => sum + scanned, 0) >= STATS_ROWS
  if (!isPartial) return { from, to, step, buckets }
  // Of the jobs that finished in the same millisecond as the last one that was read, some may be missing.
  const completeFrom = rows.reduce((least, { oldest }) => Math.min(least, oldest), to) + 1
  return { from, to, step, buckets, isPartial, completeFrom }
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
  return sql<BucketRow[]>`
    select ((finished_ms - ${from}) / ${step}::bigint)::int as bucket, count(*)::int as scanned, min(finished_ms) as oldest,
      (count(*) filter (where state = ${COMPLETED} and ${matches}))::int as completed,
      (count(*) filter (where state = ${FAILED} and ${matches}))::int as failed,
      percentile_disc(0.5) within group (order by finished_ms - started_ms) filter (where ${matches}) as p50,
      percentile_disc(0.95) within group (order by finished_ms - started_ms) filter (where ${matches}) as p95
    from (
      select * from (${range(COMPLETED)} union all ${range(FAILED)}) as ranges
      order by finished_ms desc, n desc limit ${STATS_ROWS}
    ) as jobs
    group by bucket`
}
