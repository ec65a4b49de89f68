import type { Job, Queue } from 'bullmq'
import createError from '@fastify/error'
import { userIdText } from '@tidings/contracts'
import type { FoundJob } from '../read/find-jobs.ts'

const QueueAway = createError('QUEUE_AWAY', 'The queue is unavailable; try again', 503)
const QueueNotRelayed = createError('QUEUE_NOT_FOLLOWED', 'The queue of this job is not relayed any more', 409)

type FindQueue = (name: string) => Queue

/** `isOther`: the id belongs to a later job, or to a job of another user. */
type QueuedJob = { job: Job | undefined, isOther: boolean }

/**
 * Reads the job from BullMQ. The hash with its id may be that of a later job, even of another user and of the same
 * millisecond: so the creation time must match, and the owner, unless a worker has removed it from the data.
 */
export async function queuedJob (
  row: Pick<FoundJob, 'id' | 'created_ms'>, { userId, queue }: { userId: string, queue: Queue }
): Promise<QueuedJob> {
  const job = await queue.getJob(row.id)
  if (!job) return { job: undefined, isOther: false }
  const owner = userIdText((job.data as { userId?: unknown } | null)?.userId)
  const isSame = job.timestamp === row.created_ms && (owner === undefined || owner === userId)
  return { job: isSame ? job : undefined, isOther: !isSame }
}

/** Runs a command on the job's queue; a failure of Redis becomes a 503. */
export async function inQueue<Result> (
  row: Pick<FoundJob, 'queue'>, findQueue: FindQueue, act: (queue: Queue) => Promise<Result>
): Promise<Result> {
  const queue = relayedQueue(row, findQueue)
  try {
    return await act(queue)
  } catch (cause) {
    throw isOutcome(cause) ? cause : Object.assign(new QueueAway(), { cause })
  }
}

function relayedQueue (row: Pick<FoundJob, 'queue'>, findQueue: FindQueue): Queue {
  try {
    return findQueue(row.queue)
  } catch (cause) {
    throw Object.assign(new QueueNotRelayed(), { cause })
  }
}

/** Whether the error is a response for the client, and not a failure of Redis. */
function isOutcome (err: unknown): boolean {
  return (err as { statusCode?: number }).statusCode !== undefined
}
