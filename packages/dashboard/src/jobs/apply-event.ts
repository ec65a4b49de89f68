import type { JobEvent, JobSummary } from 'tidings'

export const keyOf = ({ queue, id }: Pick<JobSummary, 'queue' | 'id'>): string => `${queue}:${id}`

/** A row as an event leaves it; the same row where it reflects the event already. */
export function applyEvent (job: JobSummary, event: JobEvent): JobSummary {
  const { type, eventId, timestamp } = event
  if (!isAfter(eventId, job.lastEventId)) return job
  const next = { ...job, lastEventId: eventId }
  switch (type) {
    case 'progress': return { ...next, progress: event.progress }
    case 'completed':
    case 'failed': return { ...next, state: type, timestamp: { ...job.timestamp, finished: timestamp } }
    case 'state': return {
      ...next,
      state: event.state,
      timestamp: { ...job.timestamp, finished: null, ...(event.state === 'active' && { started: timestamp }) }
    }
    default: return type satisfies never
  }
}

/** Of two answers about the same job the one that reflects more. */
export const newer = (one: JobSummary, other: JobSummary): JobSummary =>
  isAfter(one.lastEventId ?? '', other.lastEventId) ? one : other

/** Ids are pairs of integers. */
function isAfter (one: string, other: string | null): boolean {
  if (!other) return one !== ''
  const [a = 0, b = 0] = one.split('-').map(Number)
  const [c = 0, d = 0] = other.split('-').map(Number)
  return a > c || (a === c && b > d)
}
