import type { JobSummary } from 'tidings'

/** The page of a job; ids repeat in other queues. */
export const hrefOfJob = ({ id, queue }: Pick<JobSummary, 'id' | 'queue'>): string =>
  `/jobs/${encodeURIComponent(id)}?queue=${encodeURIComponent(queue)}`

/** The page of a job, with one of its events marked. */
export function hrefOfEvent (
  { jobId, queue, eventId }: { jobId: string, queue: string | null, eventId: string }
): string {
  const query = new URLSearchParams({ ...(queue !== null && { queue }), event: eventId })
  return `/jobs/${encodeURIComponent(jobId)}?${query}`
}
