import { booleanArray, joinedJson, pgColumns, numberArray, textArray } from '@tidings/service-kit'
import type { ChangedJob } from './apply-batch.ts'

/** The new fields of jobs as columns for unnest; `progress` and `result` for string_to_array. */
export function fieldColumns (jobs: ChangedJob[]) {
  const fields = jobs.map(({ after }) => after)
  const { numbers, json } = pgColumns(fields)
  return {
    state: numbers('state'),
    createdMs: numbers('createdMs'),
    startedMs: numbers('startedMs'),
    finishedMs: numbers('finishedMs'),
    attemptsMade: numbers('attemptsMade'),
    attemptsMax: numbers('attemptsMax'),
    eventMs: numberArray(fields.map(({ event }) => event?.ms)),
    eventSeq: numberArray(fields.map(({ event }) => event?.seq)),
    setsProgress: booleanArray(fields.map(({ progress }) => progress !== undefined)),
    progress: json('progress'),
    progressTruncated: booleanArray(fields.map(({ progressTruncated }) => progressTruncated ?? false)),
    progressCount: numbers('progressCount'),
    progressAtMs: numbers('progressAtMs'),
    keepsSamples: booleanArray(jobs.map(({ carrier }) => carrier === undefined)),
    samples: joinedJson(jobs.map(({ carrier, samples }) => carrier ? null : samples)),
    setsOutcome: booleanArray(fields.map(({ outcome }) => outcome !== undefined)),
    result: joinedJson(fields.map(({ outcome }) => outcome?.result)),
    truncated: booleanArray(fields.map(({ outcome }) => outcome?.truncated ?? false)),
    error: textArray(fields.map(({ outcome }) => outcome?.error))
  }
}
