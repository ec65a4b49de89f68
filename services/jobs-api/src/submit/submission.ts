import { createHash } from 'node:crypto'
import type { JobsOptions } from 'bullmq'
import { v7 as uuid } from 'uuid'
import { renderUserId, type JobState, type NewJob, type SubmittedJob } from '@tidings/contracts'

/** Jobs that BullMQ removes at a time when one has finished: about 2 ms of Redis. */
const REMOVED_AT_A_TIME = 100

/** How long, and how many, BullMQ keeps of the finished jobs of a queue. Postgres is the record. */
export type KeepFinished = { age: number, count?: number, limit: number }

export function keepFinished ({ JOBS_KEEP_FINISHED_MS, JOBS_KEEP_FINISHED_COUNT }: { JOBS_KEEP_FINISHED_MS: number, JOBS_KEEP_FINISHED_COUNT: number }): KeepFinished {
  const count = JOBS_KEEP_FINISHED_COUNT
  return { age: Math.ceil(JOBS_KEEP_FINISHED_MS / 1000), ...(count > 0 && { count }), limit: REMOVED_AT_A_TIME }
}

/** A job as it is written down and, with `data` and `options`, as BullMQ gets it. */
export type Submission = {
  id: string
  userId: string
  queue: string
  name: string
  state: Extract<JobState, 'waiting' | 'delayed'>
  createdMs: number
  attempts: number
  webhookUrl: string | null
  data: Record<string, unknown>
  options: JobsOptions
}

/** What becomes of a request's job: an id of its own, and data in which the server says whose it is. */
export function submissionOf (job: NewJob, { userId, defaultQueue, keep }: { userId: string, defaultQueue: string, keep: KeepFinished }): Submission {
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
    data: { ...job.data, userId: renderUserId(userId) },
    options: {
      jobId: id,
      // Not the time of the add: a job that is added late is due when its user said.
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

/** What the submitter is told. */
export function submittedJob ({ id, name, queue, state }: Submission): SubmittedJob {
  return { jobId: id, name, queue, state }
}

/** Tells one request body from another, whatever the order of its fields. */
export function fingerprint (route: string, body: unknown): string {
  return createHash('sha256').update(route).update(JSON.stringify(body, sortedKeys)).digest('base64')
}

function sortedKeys (_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1))
}
