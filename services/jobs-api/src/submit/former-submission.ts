import createError from '@fastify/error'
import type { JobsOptions, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { NewJob } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { inQueue, queuedJob } from '../commands/queued-job.ts'
import type { FoundJob } from '../read/find-jobs.ts'

/** As much as a submit may have. */
const MAX_DATA_BYTES = 1024 * 1024

const NotKept = createError('JOB_NOT_KEPT',
  'The data and options of this job are not kept any more: submit a new job', 409)
const TooLarge = createError('JOB_DATA_TOO_LARGE',
  `The data of this job has %d bytes, and a submit takes ${MAX_DATA_BYTES}: send other data`, 409)

type Context = { userId: string, sql: RawSql, redis: Redis, findQueue: (name: string) => Queue }
type Former = { data: unknown, options: JobsOptions }
type StoredRow = {
  data: unknown
  options: JobsOptions | null
  webhook_url: string | null
  webhook_event_type: NewJob['webhookEventType'] | null
}

/**
 * The job as it was submitted: from its row, or from BullMQ's hash as long as that is there (a completed job, a job of
 * another producer). Of BullMQ's options those are taken over that decide when and how often a job runs; the delay of a
 * scheduler's job is its place in the schedule and is not.
 * @throws JOB_NOT_KEPT, JOB_DATA_TOO_LARGE, QUEUE_NOT_FOLLOWED, QUEUE_AWAY
 */
export async function formerSubmission (row: FoundJob, context: Context): Promise<NewJob> {
  const [stored] = await context.sql<StoredRow[]>`
    select data, options, webhook_url, webhook_event_type from jobs.jobs where n = ${row.n}`
  const former = await inQueue(row, context.findQueue, async queue =>
    storedIn(stored) ?? await inBullmq(row, queue, context))
  if (!former) throw new NotKept()
  const { delay, priority, attempts, backoff } = former.options
  return {
    name: row.name,
    queue: row.queue,
    data: former.data as Record<string, unknown>,
    ...(delay && { delay }),
    ...(priority && { priority }),
    ...(attempts && { attempts }),
    ...(backoff && { backoff: backoff as NonNullable<NewJob['backoff']> }),
    ...(stored?.webhook_url && { webhookUrl: stored.webhook_url }),
    ...(stored?.webhook_event_type && { webhookEventType: stored.webhook_event_type })
  }
}

function storedIn (row: StoredRow | undefined): Former | undefined {
  return row && row.data !== null && row.options !== null ? { data: row.data, options: row.options } : undefined
}

async function inBullmq (row: FoundJob, queue: Queue, { userId, redis }: Context): Promise<Former | undefined> {
  const bytes = await redis.hstrlen(queue.toKey(row.id), 'data')
  if (bytes > MAX_DATA_BYTES) throw new TooLarge(bytes)
  const { job } = await queuedJob(row, { userId, queue })
  if (!job) return undefined
  const { delay, ...options } = job.opts
  return { data: job.data, options: job.repeatJobKey ? options : { ...options, ...(delay && { delay }) } }
}
