import type { Job, JobEvent, JobState, JobSummary } from 'tidings'

/** Which jobs; all that is named has to match. */
export interface JobFilter {
  status?: JobState[]
  /** The beginning of an id, or part of a name or of an error. */
  q?: string
  name?: string
  queue?: string
  /** Created at or after this time, in milliseconds. */
  from?: number
  /** Created before this time. */
  to?: number
}

/** Of an error, the service searches this much. */
const SEARCHED_LENGTH = 2000

/** Whether a job is one of those, as `GET /jobs` decides it. A summary has no error in which `q` could be found. */
export function matches (filter: JobFilter, job: Job | JobSummary): boolean {
  const { status, q, name, queue, from = -Infinity, to = Infinity } = filter
  const { id, state, timestamp: { created } } = job
  const error = 'failedReason' in job ? job.failedReason ?? '' : ''
  return (!status || status.includes(state)) &&
    (name === undefined || name === job.name) &&
    (queue === undefined || queue === job.queue) &&
    created >= from && created < to &&
    (q === undefined || hasText(q, id, [job.name, error.slice(0, SEARCHED_LENGTH)]))
}

/** Whether the job of an event can be one of those; only the job itself says whether it is. */
export function mayMatch ({ status, q, name, queue }: JobFilter, event: JobEvent): boolean {
  const { jobId, type } = event
  const state = type === 'state' ? event.state : type === 'progress' ? 'active' : type
  return (!status || status.includes(state)) &&
    (name === undefined || name === event.name) &&
    (queue === undefined || type === 'state' || queue === event.queue) &&
    (q === undefined || type === 'failed' || hasText(q, jobId, [event.name]))
}

function hasText (q: string, id: string, texts: string[]): boolean {
  return id.startsWith(q) || texts.some(text => text.toLowerCase().includes(q.toLowerCase()))
}
