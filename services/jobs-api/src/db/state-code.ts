import { JOB_STATES, type JobState } from '@tidings/contracts'

/** States are stored as their index in JOB_STATES; from this one on a job is finished. */
export const FIRST_FINAL_STATE = 3

export const stateCode = (state: JobState): number => JOB_STATES.indexOf(state)

export function stateOf (code: number): JobState {
  const state = JOB_STATES[code]
  if (!state) throw new RangeError(`No job state has the number ${code}`)
  return state
}
