import { booleanArray, joinedJson, numberArray, textArray } from '@tidings/service-kit'
import type { ChangedJob } from './changed-job.ts'

/** The folded fields of jobs as columns for unnest; `progress` and `result` for string_to_array. */
export function fieldColumns (jobs: ChangedJob[]) {
  const fields = jobs.map(({ after }) => after)
  return {
    state: numberArray(fields.map(({ state }) => state)),
    createdMs: numberArray(fields.map(({ createdMs }) => createdMs)),
    startedMs: numberArray(fields.map(({ startedMs }) => startedMs)),
    finishedMs: numberArray(fields.map(({ finishedMs }) => finishedMs)),
    attemptsMade: numberArray(fields.map(({ attemptsMade }) => attemptsMade)),
    attemptsMax: numberArray(fields.map(({ attemptsMax }) => attemptsMax)),
    eventMs: numberArray(fields.map(({ event }) => event?.ms)),
    eventSeq: numberArray(fields.map(({ event }) => event?.seq)),
    setsProgress: booleanArray(fields.map(({ progress }) => progress !== undefined)),
    progress: joinedJson(fields.map(({ progress }) => progress)),
    setsOutcome: booleanArray(fields.map(({ outcome }) => outcome !== undefined)),
    result: joinedJson(fields.map(({ outcome }) => outcome?.result)),
    truncated: booleanArray(fields.map(({ outcome }) => outcome?.truncated ?? false)),
    error: textArray(fields.map(({ outcome }) => outcome?.error))
  }
}
