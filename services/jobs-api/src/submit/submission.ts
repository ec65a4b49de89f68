import type { JobsOptions } from 'bullmq'
import { v7 as uuid } from 'uuid'
import {
  renderUserId, type JobState, type JobWebhookEventType, type NewJob, type SubmitJob, type SubmittedJob
} from '@tidings/contracts'

/** The most jobs that BullMQ removes when one has finished: about 2 ms of Redis. */
const REMOVAL_LIMIT = 100

/** How long BullMQ keeps the finished jobs of a queue, and how many. Postgres keeps the record. */
type KeepFinished = { age: number, count?: number, limit: number }

type KeepSettings = { JOBS_KEEP_FINISHED_MS: number, JOBS_KEEP_FINISHED_COUNT: number }

export function keepFinished ({ JOBS_KEEP_FINISHED_MS, JOBS_KEEP_FINISHED_COUNT }: KeepSettings): KeepFinished {
  const count = JOBS_KEEP_FINISHED_COUNT
  return { age: Math.ceil(JOBS_KEEP_FINISHED_MS / 1000), ...(count > 0 && { count }), limit: REMOVAL_LIMIT }
}

/** A job to be stored and, with `data` and `options`, to be added to BullMQ. */
export type Submission = {
  id: string
  userId: string
  queue: string
  name: string
  state: Extract<JobState, 'waiting' | 'delayed'>
  createdMs: number
  attempts: number
  webhookUrl: string | null
  /** Which events the webhookUrl receives; null: the completion. */
  webhookEventType: JobWebhookEventType | null
  data: Record<string, unknown>
  options: JobsOptions
}

/**
 * Removes null fields: form libraries and code generators write null for a field left out. Within `data` null is a
 * value.
 */
export function withoutNulls (job: SubmitJob): NewJob {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== null)) as NewJob
}

type SubmissionContext = { userId: string, defaultQueue: string, keep: KeepFinished }

/** Makes a submission of a request's job: with an id of its own, and data in which the server sets the owner. */
export function submissionOf (job: NewJob, { userId, defaultQueue, keep }: SubmissionContext): Submission {
  const id = uuid()
  const createdMs = Date.now()
  const { delay = 0, priority, attempts = 1, backoff } = job
  return {
    id,
    userId,
    queue: job.queue ?? defaultQueue,
    name: job.name,
    state: delay > 0 ? 'delayed' : 'waiting',
    createdMs,
    attempts,
    webhookUrl: job.webhookUrl ?? null,
    webhookEventType: job.webhookEventType ?? null,
    data: { ...job.data, userId: renderUserId(userId) },
    options: {
      jobId: id,
      // Not the time of the add: a job that is added late keeps the due time that its user requested.
      timestamp: createdMs,
      attempts,
      removeOnComplete: keep,
      removeOnFail: keep,
      ...(delay > 0 && { delay }),
      ...(priority !== undefined && { priority }),
      ...(backoff && { backoff })
    }
  }
}

/** The response to the submitter. */
export function submittedJob ({ id, name, queue, state }: Submission): SubmittedJob {
  return { jobId: id, name, queue, state }
}
