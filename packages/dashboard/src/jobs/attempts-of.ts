import type { JobTimelineEntry } from 'tidings'

export interface Attempt {
  /** From 1. */
  number: number
  startedAt: number
  /** Undefined while it runs. */
  endedAt?: number
  outcome: 'running' | 'completed' | 'failed'
  error?: string
}

/** The attempts that a timeline shows: each begins when a worker has started the job, and ends with what came next. */
export function attemptsOf (events: JobTimelineEntry[]): Attempt[] {
  const attempts: Attempt[] = []
  for (const { state, timestamp, error } of events) {
    const open = attempts.at(-1)?.outcome === 'running' ? attempts.at(-1) : undefined
    if (open) {
      open.endedAt = timestamp
      // A job that waits again after a start has failed, and is retried.
      open.outcome = state === 'completed' ? 'completed' : 'failed'
      if (error !== undefined) open.error = error
    }
    if (state === 'active') attempts.push({ number: attempts.length + 1, startedAt: timestamp, outcome: 'running' })
  }
  return attempts
}
