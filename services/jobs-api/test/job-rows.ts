import type { Sql } from 'postgres'
import { JOB_STATES } from '@tidings/contracts'
import { until } from '@tidings/testing'

export type JobRow = {
  n: string
  id: string
  queue: string
  user_id: string
  name: string
  state: string
  failed_reason: string | null
  result: unknown
  progress: unknown
  attempts_made: number
  ours: boolean
  created_ms: string
  generation_ms: string
  started_ms: string | null
  finished_ms: string | null
}

/** Reads all rows, oldest first, with their state by name. */
export async function jobRows (sql: Sql): Promise<JobRow[]> {
  const rows = await sql<JobRow[]>`select * from jobs.jobs order by n`
  return rows.map(row => ({ ...row, state: JOB_STATES[Number(row.state)] as string }))
}

/** Waits until the rows are in these states, in the order of their submit. */
export async function untilStates (sql: Sql, states: string[]): Promise<JobRow[]> {
  let rows: JobRow[] = []
  try {
    return await until(async () => {
      rows = await jobRows(sql)
      return JSON.stringify(rows.map(({ state }) => state)) === JSON.stringify(states) && rows
    })
  } catch (cause) {
    throw new Error(`states are ${rows.map(({ state }) => state).join(', ')} and not ${states.join(', ')}`, { cause })
  }
}
