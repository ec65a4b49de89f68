import type { Job, Queue } from 'bullmq'
import createError from '@fastify/error'
import type { FoundJob } from '../read/find-jobs.ts'

const QueueAway = createError('QUEUE_AWAY', 'The queue can\'t be reached at this moment; try again', 503)
const QueueNotFollowed = createError('QUEUE_NOT_FOLLOWED', 'The queue of this job is not followed any more', 409)

type FindQueue = (name: string) => Queue

/**
 * The job as BullMQ has it, undefined where it has none: a hash under the same
 * id may be a later job, of another user even, so the creation time must agree.
 */
export async function queuedJob (row: FoundJob, queue: Queue): Promise<Job | undefined> {
  const job = await queue.getJob(row.id)
  return job?.timestamp === row.created_ms ? job : undefined
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
