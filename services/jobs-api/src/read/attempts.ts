import type { JobAttempt, JobTimelineEntry } from '@tidings/contracts'

/**
 * The attempts of a job, oldest first, from its events: each starts with `active` and ends with the next event of
 * another type. `made` is how many there were, of which the oldest may be missing in the events.
 */
export function attemptsOf (events: JobTimelineEntry[], made: number): JobAttempt[] {
  const attempts: JobAttempt[] = []
  let open: JobAttempt | undefined
  for (const event of events) {
    if (open) attempts[attempts.length - 1] = { ...open, ...endOf(event) }
    open = event.type === 'active'
      ? { number: 0, started: event.timestamp, finished: null, outcome: null }
      : undefined
    if (open) attempts.push(open)
  }
  const first = Math.max(1, made - attempts.length + 1)
  return attempts.map((attempt, i) => ({ ...attempt, number: first + i }))
}

function endOf ({ type, timestamp, error, errorTruncated }: JobTimelineEntry): Omit<JobAttempt, 'number' | 'started'> {
  return {
    finished: timestamp,
    outcome: type === 'completed' ? 'completed' : error === undefined ? 'interrupted' : 'failed',
    ...(error !== undefined && { error }),
    ...(errorTruncated && { errorTruncated })
  }
}
