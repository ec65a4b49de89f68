import { progressOf, stateAfter, type PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, type EventId } from '@tidings/job-events'
import { FIRST_FINAL_STATE, stateCode } from '../db/state-code.ts'
import { beginsSlot } from './progress-samples.ts'

/** How a job ended; nulls while it is open. JSON as text. */
type Outcome = { result: string | null, truncated: boolean, error: string | null }

/** The fields of a row that events read and change. */
export type JobFields = {
  state: number
  createdMs: number
  startedMs: number | null
  finishedMs: number | null
  attemptsMade: number
  attemptsMax: number
  /** The last applied event; null before the first. */
  event: EventId | null
  /** Undefined: unchanged. JSON as text. */
  progress?: string | null
  /** Whether `progress` was too large for the event. */
  progressTruncated?: boolean
  /** Slots of time with progress, in all of the job's attempts and retries, and when it was reported last. */
  progressCount: number
  progressAtMs: number | null
  /** Undefined: unchanged. */
  outcome?: Outcome
  /** Another job replaced this one, so that its row is removed; `by` is the successor's id, if it is known. */
  replaced?: { by: string | undefined }
}

const NO_OUTCOME: Outcome = { result: null, truncated: false, error: null }
const REOPENED = { startedMs: null, finishedMs: null, outcome: NO_OUTCOME }

/**
 * The job after one more event. A finished job does not change until it is reopened: the relay ensures that too, but
 * its marks expire. Only the job's last event changes: a client that names a late event by `?after` never gets an older
 * one.
 */
export function applyEvent (job: JobFields, event: PublishedJobEvent): JobFields {
  if (isLate(job, event)) return { ...job, event: eventIdOf(event.eventId) }
  return { ...job, ...changes(job, event), event: eventIdOf(event.eventId) }
}

/** A job of another producer before its first event. */
export function newJob ({ created, attempts, timestamp }: PublishedJobEvent): JobFields {
  return {
    state: stateCode('waiting'),
    createdMs: created ?? timestamp,
    startedMs: null,
    finishedMs: null,
    attemptsMade: 0,
    attemptsMax: attempts ?? 1,
    progressCount: 0,
    progressAtMs: null,
    event: null
  }
}

/** Whether the job had finished before the event. */
export function isLate (job: JobFields, event: PublishedJobEvent): boolean {
  return job.state >= FIRST_FINAL_STATE && !reopens(event)
}

function reopens ({ type, reopened }: PublishedJobEvent): boolean {
  return type === 'added' || reopened === true
}

function changes (job: JobFields, event: PublishedJobEvent): Partial<JobFields> {
  const { type } = event
  const state = stateCode(stateAfter(type) ?? 'waiting')
  switch (type) {
    // A job submitted with a delay is `delayed` from the start, and its `added` must not change that.
    case 'added': return { ...startedOver(job, event), state: job.event === null ? job.state : state }
    case 'waiting': return event.reopened ? { state, ...REOPENED } : { state }
    case 'delayed': return { state }
    case 'active': return { state, startedMs: event.timestamp, attemptsMade: job.attemptsMade + 1 }
    case 'progress': return {
      progress: progressOf(event),
      progressTruncated: event.progressTruncated === true,
      progressCount: beginsSlot(job.progressAtMs, event.timestamp) ? job.progressCount + 1 : job.progressCount,
      progressAtMs: event.timestamp
    }
    case 'replaced': return { replaced: { by: event.replacedBy } }
    case 'completed':
    case 'failed': return { state, finishedMs: event.timestamp, outcome: outcomeOf(event) }
    default: return type satisfies never
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
