import { JOB_STATES, type JobState, type ListJobsQuery } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { stateCode } from '../db/state-code.ts'

const ALL_STATES = JOB_STATES.map(stateCode)

/** Selects jobs of a user. `from` is inclusive, `to` is exclusive; both in milliseconds. */
export type JobFilter = {
  userId: string
  state?: JobState | undefined
  name?: string | undefined
  queue?: string | undefined
  from?: number | undefined
  to?: number | undefined
}

export function filterOf (userId: string, { status, name, queue, from, to }: ListJobsQuery): JobFilter {
  return { userId, state: status, name, queue, from, to }
}

/** Whether the counters suffice to count the jobs. */
export function isCounted ({ name, queue, from, to }: JobFilter): boolean {
  return name === undefined && queue === undefined && from === undefined && to === undefined
}

/**
 * The index ranges of a filter, each to be read newest first. The indexes by name, by queue and by both continue with
 * (state, created_ms, n), so that a state narrows them too; without a state there is a range for each, and Postgres
 * merges the sorted ranges (Merge Append).
 */
export function rangesOf ({ state, name, queue }: JobFilter): (number | undefined)[] {
  if (state !== undefined) return [stateCode(state)]
  return name === undefined && queue === undefined ? [undefined] : ALL_STATES
}

/** The conditions of one range. */
export function conditions (sql: RawSql, { userId, name, queue, from, to }: JobFilter, state: number | undefined) {
  return sql`user_id = ${userId}
    ${state === undefined ? sql`` : sql`and state = ${state}`}
    ${name === undefined ? sql`` : sql`and name = ${name}`}
    ${queue === undefined ? sql`` : sql`and queue = ${queue}`}
    ${from === undefined ? sql`` : sql`and created_ms >= ${from}`}
    ${to === undefined ? sql`` : sql`and created_ms < ${to}`}`
}
