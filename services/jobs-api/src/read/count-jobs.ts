import type { JobCounts } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../db/state-code.ts'
import { isCounted, statesOf, type JobFilter } from './job-filter.ts'
import { rangesOf } from './job-ranges.ts'

/** Counting stops here: 10,000 index entries take 1.5 ms, a million 75. */
export const COUNT_CAP = 10_000

export type Total = { total: number, isCapped: boolean }

/** Counts a user's jobs by state: reads five counters, never the jobs. */
export async function countByState (sql: RawSql, userId: string): Promise<JobCounts> {
  const rows = await sql<{ state: number, count: number }[]>`
    select state, count from jobs.counts where user_id = ${userId}`
  const counts: JobCounts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 }
  for (const { state, count } of rows) counts[stateOf(state)] = count
  return counts
}

/** Counts the jobs of a filter that needs no scan: exactly if the counters suffice, otherwise up to the cap. */
export async function countJobs (sql: RawSql, filter: JobFilter): Promise<Total> {
  if (filter.userId === undefined || !isCounted(filter)) return await countUpToCap(sql, filter)
  const counts = await countByState(sql, filter.userId)
  return { total: statesOf(filter).reduce((sum, state) => sum + counts[state], 0), isCapped: false }
}

async function countUpToCap (sql: RawSql, filter: JobFilter): Promise<Total> {
  const [row] = await cappedCount(sql, filter)
  const found = row?.found ?? 0
  return { total: Math.min(found, COUNT_CAP), isCapped: found > COUNT_CAP }
}

/**
 * Index only, over the ranges that a list reads. Not one range with a list of states: in a generic plan Postgres
 * expects `from` and `to` to leave few rows, and reads those of all names.
 */
export function cappedCount (sql: RawSql, filter: JobFilter) {
  const ranges = rangesOf(sql, filter).ranges
    .map(range => sql`(select from jobs.jobs ${range})`)
    .reduce((all, range) => sql`${all} union all ${range}`)
  return sql<{ found: number }[]>`
    select count(*)::int as found from (select from (${ranges}) as ranges limit ${COUNT_CAP + 1}) as counted`
}
