import type { Queue } from 'bullmq'
import createError from '@fastify/error'
import type { Redis } from 'ioredis'
import type { RawSql } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { FoundJob } from '../read/find-jobs.ts'
import { inQueue, queuedJob } from './queued-job.ts'
import { removeQueued } from '../bullmq/remove-queued.ts'
import { notifyWorker } from '../bullmq/notify-worker.ts'

const JobFinished = createError('JOB_FINISHED', 'The job has finished already', 409)
const NotCancellable = createError('NOT_CANCELLABLE', 'The job belongs to a scheduler of BullMQ: remove it there', 409)

type CancelledRow = Pick<FoundJob, 'id' | 'queue' | 'created_ms' | 'submitted_here'>
type CancelContext = { userId: string, sql: RawSql, redis: Redis, findQueue: (name: string) => Queue }

/**
 * Cancels a job. The cancel request is written before anything is removed: relay, outbox and reconciliation then know
 * why the job is gone. A waiting or delayed job is removed; the worker of an active one is notified.
 */
export async function cancelJob (row: FoundJob, { userId, sql, redis, findQueue }: CancelContext): Promise<void> {
  if (!await requestCancel(sql, row.n)) throw new JobFinished()
  await carryOutCancel(row, { userId, redis, findQueue })
}

/** Does what a stored cancel request asks for. Doing it again does no harm while the request is stored. */
export async function carryOutCancel (
  row: CancelledRow, { userId, redis, findQueue }: Omit<CancelContext, 'sql'>
): Promise<void> {
  await inQueue(row, findQueue, async queue => {
    const { job, isOther } = await queuedJob(row, { userId, queue })
    if (!job && isOther) return // the signal would reach the worker of the other job
    if (!job) return await cancelMissing(row, redis)
    const state = await job.getState()
    if (state === 'completed' || state === 'failed') throw new JobFinished()
    if (state === 'active' || !await remove(queue, row.id)) await notifyWorker(redis, row)
  })
}

/**
 * Cancels a job that BullMQ does not have any more, or not yet: outbox and reconciliation end it. A submitted job may
 * be about to be added, so its worker is notified; the id of another producer's job may belong to another job by now.
 */
async function cancelMissing (row: CancelledRow, redis: Redis): Promise<void> {
  if (row.submitted_here) await notifyWorker(redis, row)
}

async function requestCancel (sql: RawSql, n: number): Promise<boolean> {
  const { count } = await sql`
    update jobs.jobs set cancel_requested_at = coalesce(cancel_requested_at, now()) where n = ${n} and state < ${FIRST_FINAL_STATE}`
  return count === 1
}

async function remove (queue: Queue, id: string): Promise<boolean> {
  try {
    return await removeQueued(queue, id)
  } catch (err) {
    if (belongsToScheduler(err)) throw Object.assign(new NotCancellable(), { cause: err })
    throw err
  }
}

function belongsToScheduler (err: unknown): boolean {
  return (err as { code?: number }).code === -8
}
