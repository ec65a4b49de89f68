import type { Job, JobTimeline } from '@tidings/contracts'
import type { Received } from '../channels/recorder.ts'
import type { Expected } from './truth.ts'
import { LARGE, REMOVED, textOf, valueOfPayload, type Value } from './values.ts'

/** What `GET /jobs/:jobId` must show of a job after these events; undefined where anything may be shown. */
interface Standing {
  state: string
  progress: Value
  outcome: Value
  started: number | null
  finished: number | null | undefined
  attempts: number
}

function standingOf (events: readonly Expected[]): Standing {
  const standing: Standing = {
    state: 'waiting', progress: 0, outcome: undefined, started: null, finished: null, attempts: 0
  }
  for (const { type, ms, value, opens } of events) {
    if (opens) Object.assign(standing, { outcome: undefined, started: null, finished: null })
    switch (type) {
      // It comes again where a retry adds a job that a cancel had removed.
      case 'added': Object.assign(standing, { progress: 0, attempts: 0 }); break
      case 'progress': standing.progress = value; break
      case 'active':
        Object.assign(standing, { state: type, started: ms, attempts: standing.attempts + 1 })
        break
      case 'completed':
      case 'failed':
        Object.assign(standing, { state: type, outcome: value, finished: value === REMOVED ? undefined : ms })
        break
      default: standing.state = type
    }
  }
  return standing
}

/** The differences between a job as REST shows it and its events. */
export function standingFaults (job: Job, events: readonly Expected[]): string[] {
  const wanted = standingOf(events)
  const compared: [string, unknown, unknown][] = [
    ['state', job.state, wanted.state],
    ['progress', textOf(job.progress), textOf(wanted.progress)],
    ['outcome', outcomeOf(job, wanted), textOf(wanted.outcome)],
    ['started', job.timestamp.started, wanted.started],
    ['finished', job.timestamp.finished, wanted.finished ?? job.timestamp.finished],
    ['attempts', job.attempts.made, wanted.attempts]
  ]
  return compared.filter(([, shown, wanted]) => shown !== wanted)
    .map(([field, shown, wanted]) => `${field} is ${String(shown)} instead of ${String(wanted)}`)
}

/** REST shows large values whole. */
function outcomeOf (job: Job, { outcome }: Standing): string {
  if (outcome === LARGE && JSON.stringify(job.result ?? '').length > 64 * 1024) return textOf(LARGE)
  return textOf(job.state === 'failed' ? job.failedReason : job.result)
}

/** A timeline in the form in which channels receive events. */
export function timelineEvents ({ events }: JobTimeline, outcome: Value): Received[] {
  return events.map(({ eventId, type, timestamp, ...more }) => ({
    eventId,
    type,
    ms: timestamp,
    // Results are not in the timeline. Errors of attempts that are retried are not in BullMQ's events.
    value: type === 'completed' ? outcome : type === 'failed' ? valueOfPayload(more) : undefined
  }))
}
