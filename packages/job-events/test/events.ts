import { jsonText, type JobEvent } from '@tidings/contracts'

/** A progress event; `n` makes it distinct. */
export function progressEvent (n: number, change: Partial<JobEvent> = {}): JobEvent {
  return {
    v: 1,
    type: 'progress',
    queue: 'q',
    jobId: 'job',
    name: 'work',
    userId: '7',
    timestamp: n,
    progress: jsonText(n),
    ...change
  }
}
