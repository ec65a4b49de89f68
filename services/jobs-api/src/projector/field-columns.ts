import type { ChangedJob } from './changed-job.ts'

/** The folded fields of jobs as columns for unnest. Booleans as texts: postgres.js takes an array of them for a single one. */
export function fieldColumns (jobs: ChangedJob[]) {
  const fields = jobs.map(({ after }) => after)
  return {
    state: fields.map(({ state }) => state),
    createdMs: fields.map(({ createdMs }) => createdMs),
    startedMs: fields.map(({ startedMs }) => startedMs),
    finishedMs: fields.map(({ finishedMs }) => finishedMs),
    attemptsMade: fields.map(({ attemptsMade }) => attemptsMade),
    attemptsMax: fields.map(({ attemptsMax }) => attemptsMax),
    eventMs: fields.map(({ event }) => event?.ms ?? null),
    eventSeq: fields.map(({ event }) => event?.seq ?? null),
    setsProgress: fields.map(({ progress }) => String(progress !== undefined)),
    progress: fields.map(({ progress }) => progress ?? null),
    setsOutcome: fields.map(({ outcome }) => String(outcome !== undefined)),
    result: fields.map(({ outcome }) => outcome?.result ?? null),
    truncated: fields.map(({ outcome }) => String(outcome?.truncated ?? false)),
    error: fields.map(({ outcome }) => outcome?.error ?? null)
  }
}
