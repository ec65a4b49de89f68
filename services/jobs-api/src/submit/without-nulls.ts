import type { NewJob, SubmitJob } from '@tidings/contracts'

/** Form libraries and code generators write null for what they leave out. Within `data` null is a value. */
export function withoutNulls (job: SubmitJob): NewJob {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== null)) as NewJob
}
