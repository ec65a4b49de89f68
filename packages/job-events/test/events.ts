import { jsonText, type JobEvent } from '@tidings/contracts'

/** An event to test with; `n` tells them apart. */
export function progressEvent (n: number, change: Partial<JobEvent> = {}): JobEvent {
  return { v: 1, type: 'progress', queue: 'q', jobId: 'job', name: 'work', userId: '7', timestamp: n, progress: jsonText(n), ...change }
}
