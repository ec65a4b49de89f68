import type { Redis } from 'ioredis'
import { cancelChannel, cancelKey } from '@tidings/contracts'

/** How long a worker that was away can still find the cancel signal. */
const SIGNAL_TTL_MS = 24 * 60 * 60 * 1000

type CancelledJob = { queue: string, id: string, created_ms: number }

/**
 * Signals the worker of a job that the job was cancelled. A worker that subscribes first and then reads the key misses
 * neither. The key holds the creation time, which identifies the job: its id may be reused within the day, by a job of
 * another user.
 */
export async function notifyWorker (redis: Redis, { queue, id, created_ms: createdMs }: CancelledJob): Promise<void> {
  await redis.multi().set(cancelKey(queue, id), createdMs, 'PX', SIGNAL_TTL_MS).publish(cancelChannel(queue), id).exec()
}
