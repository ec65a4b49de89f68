import type { Job, Queue } from 'bullmq'
import createError from '@fastify/error'
import { userIdText } from '@tidings/contracts'
import type { FoundJob } from '../read/find-jobs.ts'

const QueueAway = createError('QUEUE_AWAY', 'The queue can\'t be reached at this moment; try again', 503)
const QueueNotFollowed = createError('QUEUE_NOT_FOLLOWED', 'The queue of this job is not followed any more', 409)

type FindQueue = (name: string) => Queue

/** `isOther`: there is a job under the id, but a later one, or somebody else's. */
export type QueuedJob = { job: Job | undefined, isOther: boolean }

/**
 * The job as BullMQ has it. A hash under the same id may be a later job, of another user even, added within the same
 * millisecond: so the creation time must agree, and the owner, unless a worker has dropped it from the data.
 */
export async function queuedJob (row: FoundJob, { userId, queue }: { userId: string, queue: Queue }): Promise<QueuedJob> {
  const job = await queue.getJob(row.id)
  if (!job) return { job: undefined, isOther: false }
  const owner = userIdText((job.data as { userId?: unknown } | null)?.userId)
  const isSame = job.timestamp === row.created_ms && (owner === undefined || owner === userId)
  return { job: isSame ? job : undefined, isOther: !isSame }
}

/** Runs what needs the job's queue; anything that Redis does not answer is a 503. */
export async function inQueue<Result> (row: FoundJob, findQueue: FindQueue, act: (queue: Queue) => Promise<Result>): Promise<Result> {
  const queue = followedQueue(row, findQueue)
  try {
    return await act(queue)
  } catch (cause) {
    throw isOutcome(cause) ? cause : Object.assign(new QueueAway(), { cause })
  }
}

function followedQueue (row: FoundJob, findQueue: FindQueue): Queue {
  try {
    return findQueue(row.queue)
  } catch (cause) {
    throw Object.assign(new QueueNotFollowed(), { cause })
  }
}

/** An error that we made for the client, not one of Redis. */
function isOutcome (err: unknown): boolean {
  return (err as { statusCode?: number }).statusCode !== undefined
}
