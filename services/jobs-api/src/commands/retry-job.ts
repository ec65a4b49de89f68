import type { JobsOptions, Queue } from 'bullmq'
import createError from '@fastify/error'
import type { Redis } from 'ioredis'
import { cancelKey, type JobState } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { stateOf } from '../db/state-code.ts'
import type { FoundJob } from '../read/find-jobs.ts'
import { inQueue, queuedJob } from './queued-job.ts'

const NotFailed = createError('NOT_FAILED', 'Only a failed job can be retried; this one is %s', 409)
const Forgotten = createError('JOB_FORGOTTEN', 'The queue does not have this job any more: submit it again', 409)

type RetryContext = { userId: string, sql: RawSql, redis: Redis, findQueue: (name: string) => Queue }
type Outbox = { data: Record<string, unknown> | null, options: JobsOptions | null }

/**
 * Retries a failed job. A job that BullMQ does not have any more (a cancelled one was removed) is added again with its
 * id, from the stored data.
 */
export async function retryJob (row: FoundJob, { userId, sql, redis, findQueue }: RetryContext): Promise<void> {
  const state: JobState = stateOf(row.state)
  if (state !== 'failed') throw new NotFailed(state)
  await inQueue(row, findQueue, async queue => {
    // First, since otherwise its worker would be signalled to stop at once.
    const { data, options } = await withdrawCancelRequest(sql, row.n)
    await redis.del(cancelKey(row.queue, row.id))
    const { job, isOther } = await queuedJob(row, { userId, queue })
    if (job) return await job.retry('failed').catch(refuse)
    // If another job has the id, an add would do nothing but return successfully.
    if (!row.submitted_here || !data || !options || isOther) throw new Forgotten()
    await queue.add(row.name, data, { ...options, delay: 0 })
  })
}

async function withdrawCancelRequest (sql: RawSql, n: number): Promise<Outbox> {
  const [outbox] = await sql<Outbox[]>`
    update jobs.jobs set cancel_requested_at = null where n = ${n} returning data, options`
  return outbox ?? { data: null, options: null }
}

/** BullMQ's codes for "not among the failed jobs any more": another request was faster. */
function refuse (err: unknown): never {
  const { code } = err as { code?: number }
  throw code === -1 || code === -3 ? Object.assign(new NotFailed('queued again'), { cause: err }) : err
}
