import { UnrecoverableError, Worker } from 'bullmq'
import type { Job, WorkerOptions } from 'bullmq'
import type { Redis } from 'ioredis'

const CANCELLED = 'Cancelled by user'

// The whole protocol. To cancel an active job, jobs-api SETs the key (PX 1 day) to the job's timestamp and, in the same
// step, PUBLISHes the job's id on the channel. The message makes it fast. The key makes it reliable, because a message
// reaches only current subscribers, and it decides, because all databases of a Redis share their channels, so that the
// message may belong to another system. It holds the timestamp because BullMQ reuses ids: a later job is not cancelled.
// Before a cancelled job is retried under the same id, the key is deleted.
const cancelKey = (queue: string, jobId: string) => `{tidings}:cancel:${queue}:${jobId}`
const cancelChannel = (queue: string) => `{tidings}:cancel:${queue}`

/** A processor whose job ends `failed` with "Cancelled by user" when it throws after `signal` was aborted. */
export type CancellableProcessor<Data, Result> = (job: Job<Data, Result>, signal: AbortSignal) => Promise<Result>

/**
 * A BullMQ worker whose active jobs can be cancelled by their users: `new Worker(…)` with one difference, the signal.
 * A processor that ignores its signal runs to its end, and its job completes.
 */
export function cancellableWorker<Data, Result> (
  queue: string,
  process: CancellableProcessor<Data, Result>,
  options: WorkerOptions & { connection: Redis }
) {
  const running = new Map<string, Job>()

  // BullMQ creates a signal for processors that declare three parameters, so none of them may have a default.
  const worker = new Worker<Data, Result>(queue, async (job, _token, bullSignal) => {
    const id = job.id as string
    const signal = bullSignal as AbortSignal
    running.set(id, job)
    try {
      await cancelWhereAsked(job)
      signal.throwIfAborted()
      return await process(job, signal)
    } catch (error) {
      // Unrecoverable: the remaining attempts would run a job that was cancelled.
      throw signal.reason === CANCELLED ? new UnrecoverableError(CANCELLED) : error
    } finally {
      running.delete(id)
    }
  }, options)

  const cancelWhereAsked = async ({ id = '', timestamp }: Job) => {
    if (await options.connection.get(cancelKey(queue, id)) === String(Math.trunc(timestamp))) {
      worker.cancelJob(id, CANCELLED)
    }
  }

  // A subscribed connection accepts no other commands, so it is a separate one. After each (re)connect the keys of the
  // active jobs are read once the subscription is active, so that no cancel request is missed in between.
  const subscriber = options.connection.duplicate({ autoResubscribe: false })
  const listen = async () => {
    await subscriber.subscribe(cancelChannel(queue))
    await Promise.all([...running.values()].map(cancelWhereAsked))
  }
  subscriber.on('message', (_channel, id) => {
    const job = running.get(id)
    if (job) cancelWhereAsked(job).catch(error => worker.emit('error', error))
  })
  subscriber.on('ready', () => { listen().catch(error => worker.emit('error', error)) })
  subscriber.on('error', error => worker.emit('error', error))
  worker.on('closed', () => subscriber.disconnect())

  return worker
}
