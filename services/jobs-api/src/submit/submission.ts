import { createHash } from 'node:crypto'
import type { JobsOptions } from 'bullmq'
import { v7 as uuid } from 'uuid'
import { renderUserId, type JobState, type SubmitJob, type SubmittedJob } from '@tidings/contracts'

/**
 * How long Redis keeps a finished job: longer than the sweeper looks back, so
 * that a job it adds a second time still meets its first self. Postgres is the record.
 */
const KEEP_FINISHED = { age: 24 * 60 * 60 }

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
export function submissionOf (job: SubmitJob, { userId, defaultQueue }: { userId: string, defaultQueue: string }): Submission {
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
      removeOnComplete: KEEP_FINISHED,
      removeOnFail: KEEP_FINISHED,
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
