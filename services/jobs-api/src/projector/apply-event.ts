import { progressOf, stateAfter, type PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, type EventId } from '@tidings/job-events'
import { FIRST_FINAL_STATE, stateCode } from '../db/state-code.ts'

/** How a job ended; nulls while it is open. JSON as text. */
type Outcome = { result: string | null, truncated: boolean, error: string | null }

/** What a fold needs to know of a row, and leaves in it. */
export type JobFields = {
  state: number
  createdMs: number
  startedMs: number | null
  finishedMs: number | null
  attemptsMade: number
  attemptsMax: number
  /** The last event folded; null before the first. */
  event: EventId | null
  /** Undefined: as it stands in the row. JSON as text. */
  progress?: string | null
  /** Of `progress`: it was too large for the event. */
  progressTruncated?: boolean
  /** Undefined: as it stands in the row. */
  outcome?: Outcome
  /** Another job took its place, so that its row goes: the successor's id, where it is known. */
  replaced?: { by: string | undefined }
}

const NO_OUTCOME: Outcome = { result: null, truncated: false, error: null }

/**
 * A job after one more event. A finished job stays as it is until it is opened
 * again: the relay sees to that too, but its marks expire. Only its last event
 * moves: who names a late one by `?after` is never answered with an older one.
 */
export function applyEvent (job: JobFields, event: PublishedJobEvent): JobFields {
  if (isLate(job, event)) return { ...job, event: eventIdOf(event.eventId) }
  return { ...job, ...changes(job, event), event: eventIdOf(event.eventId) }
}

/** A job of another producer, of which this is the first event. */
export function newJob ({ created, attempts, timestamp }: PublishedJobEvent): JobFields {
  return {
    state: stateCode('waiting'),
    createdMs: created ?? timestamp,
    startedMs: null,
    finishedMs: null,
    attemptsMade: 0,
    attemptsMax: attempts ?? 1,
    event: null
  }
}

/** Whether the job had finished before. */
export function isLate (job: JobFields, event: PublishedJobEvent): boolean {
  return job.state >= FIRST_FINAL_STATE && !opens(event)
}

function opens ({ type, reopened }: PublishedJobEvent): boolean {
  return type === 'added' || reopened === true
}

function changes (job: JobFields, event: PublishedJobEvent): Partial<JobFields> {
  const state = stateCode(stateAfter(event.type) ?? 'waiting')
  switch (event.type) {
    // A job submitted with a delay is `delayed` from the start: its `added` must not say otherwise.
    case 'added': return { ...startedOver(job, event), state: job.event === null ? job.state : state }
    case 'waiting': return event.reopened ? { state, startedMs: null, finishedMs: null, outcome: NO_OUTCOME } : { state }
    case 'active': return { state, startedMs: event.timestamp, attemptsMade: job.attemptsMade + 1 }
    case 'progress': return { progress: progressOf(event), progressTruncated: event.progressTruncated === true }
    case 'replaced': return { replaced: { by: event.replacedBy } }
    case 'completed':
    case 'failed': return { state, finishedMs: event.timestamp, outcome: outcomeOf(event) }
    default: return { state }
  }
}

function startedOver (job: JobFields, { created, attempts }: PublishedJobEvent): Partial<JobFields> {
  return {
    createdMs: created ?? job.createdMs,
    attemptsMax: attempts ?? job.attemptsMax,
    attemptsMade: 0,
    startedMs: null,
    finishedMs: null,
    progress: null,
    progressTruncated: false,
    outcome: NO_OUTCOME
  }
}

function outcomeOf ({ type, result, resultTruncated, error, errorTruncated }: PublishedJobEvent): Outcome {
  return {
    result: type === 'completed' && !resultTruncated ? result ?? 'null' : null,
    truncated: resultTruncated === true || errorTruncated === true,
    error: type === 'failed' ? error ?? '' : null
  }
}
