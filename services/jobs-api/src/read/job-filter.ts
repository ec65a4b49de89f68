import { JOB_STATES, type JobFilterBody, type JobSort, type JobState } from '@tidings/contracts'
import { invalidInput, MOMENT_FORMS, momentOf } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'

const FINAL_STATES = JOB_STATES.slice(FIRST_FINAL_STATE)

/** Selects jobs. `from` is inclusive, `to` is exclusive; both are times of the sort key in milliseconds. */
export type JobFilter = {
  /** Undefined: the jobs of all users. */
  userId: string | undefined
  /** Without duplicates and not empty; undefined: all states. */
  states?: readonly JobState[] | undefined
  name?: string | undefined
  queue?: string | undefined
  /** Beginning of an id, or part of a name or an error. */
  q?: string | undefined
  sort?: JobSort | undefined
  from?: number | undefined
  to?: number | undefined
  /** What this bulk action has retried or cancelled. */
  bulkId?: string | undefined
}

type FilterOptions = {
  /** Whose jobs; undefined: those of all users. */
  userId: string | undefined
  /** Where the filter was given, as errors name it: `querystring`, `body.filter`. */
  path: string
}

/**
 * The filter of a query or a body.
 * @throws 400 for states that the sort excludes, and for a time of another form
 */
export function filterOf (
  { status, name, queue, q, sort, from, to, bulkId }: JobFilterBody, { userId, path }: FilterOptions
): JobFilter {
  const states = status && status.length > 0 ? [...new Set(status)] : undefined
  if (sort === 'finished' && states?.some(state => !FINAL_STATES.includes(state))) {
    const message = `with sort=finished can be ${FINAL_STATES.join(' or ')} only: other jobs have not finished`
    throw invalidInput([{ path: `${path}.status`, message }])
  }
  const times = { from: timeOf(from, `${path}.from`), to: timeOf(to, `${path}.to`) }
  return { userId, states, name, queue, q, sort, ...times, bulkId }
}

function timeOf (value: string | number | undefined, path: string): number | undefined {
  const time = value === undefined ? undefined : momentOf(value)
  if (value !== undefined && time === undefined) throw invalidInput([{ path, message: `must be ${MOMENT_FORMS}` }])
  return time
}

/** The order of a list, newest first. Jobs of all users come in the order of their arrival, which has an index. */
export type JobOrder = JobSort | 'arrival'

export function orderOf ({ userId, sort = 'created' }: JobFilter): JobOrder {
  return userId === undefined && sort === 'created' ? 'arrival' : sort
}

/** The states that a list contains. */
export function statesOf ({ states, sort }: JobFilter): readonly JobState[] {
  return states ?? (sort === 'finished' ? FINAL_STATES : JOB_STATES)
}

/** Whether the counters of the user suffice to count the jobs. */
export function isCounted ({ userId, name, queue, q, from, to, bulkId }: JobFilter): boolean {
  return userId !== undefined && [name, queue, q, from, to, bulkId].every(value => value === undefined)
}
