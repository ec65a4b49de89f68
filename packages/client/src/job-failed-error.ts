import { TidingsError } from './errors.ts'
import type { Job } from './types.ts'

/** Of `wait`: the job has failed. */
export class JobFailedError extends TidingsError {
  declare readonly job: Job

  constructor (job: Job) {
    super('job_failed', `Job ${job.id} failed${job.failedReason ? `: ${job.failedReason}` : ''}`)
    this.name = 'JobFailedError'
    this.job = job
  }
}
