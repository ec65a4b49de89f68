import type { Queue } from 'bullmq'
import createError from '@fastify/error'
import type { Redis } from 'ioredis'
import { cancelChannel, cancelKey } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { FIRST_FINAL_STATE } from '../db/state-code.ts'
import type { FoundJob } from '../read/find-jobs.ts'
import { inQueue, queuedJob } from './queued-job.ts'

/** How long a worker that was away can still learn that a job is to stop. */
const SIGNAL_TTL_MS = 24 * 60 * 60 * 1000

const JobFinished = createError('JOB_FINISHED', 'The job has finished already', 409)
const NotCancellable = createError('NOT_CANCELLABLE', 'The job belongs to a scheduler of BullMQ: remove it there', 409)

type CancelContext = { sql: RawSql, redis: Redis, findQueue: (name: string) => Queue }

/**
 * Asks for a job's end. The wish is written down before anything is removed:
 * whoever sees the job gone, relay, sweeper or reconciliation, knows why.
 * A waiting or delayed job is removed; the worker of an active one is told.
 */
export async function cancelJob (row: FoundJob, { sql, redis, findQueue }: CancelContext): Promise<void> {
  if (!await writeWish(sql, row.n)) throw new JobFinished()
  await inQueue(row, findQueue, async queue => {
    const job = await queuedJob(row, queue)
    if (!job) return // not there yet, or not any more: the sweeper and the reconciliation conclude it
    const state = await job.getState()
    if (state === 'completed' || state === 'failed') throw new JobFinished()
    if (state === 'active' || !await remove(queue, row.id)) await tellWorker(redis, row)
  })
}

async function writeWish (sql: RawSql, n: number): Promise<boolean> {
  const { count } = await sql`
    update jobs.jobs set cancel_requested_at = coalesce(cancel_requested_at, now()) where n = ${n} and state < ${FIRST_FINAL_STATE}`
  return count === 1
}

/** False where a worker has just taken it. */
async function remove (queue: Queue, id: string): Promise<boolean> {
  try {
    // Not its children: a flow's may be of other users.
    return await queue.remove(id, { removeChildren: false }) === 1
  } catch (err) {
    if (isSchedulers(err)) throw Object.assign(new NotCancellable(), { cause: err })
    throw err
  }
}

/** A worker that subscribes first and then looks for the key misses neither. */
async function tellWorker (redis: Redis, { queue, id }: FoundJob): Promise<void> {
  await redis.multi().set(cancelKey(queue, id), '1', 'PX', SIGNAL_TTL_MS).publish(cancelChannel(queue), id).exec()
}

function isSchedulers (err: unknown): boolean {
  return (err as { code?: number }).code === -8
}
