import type { Redis } from 'ioredis'
import { cancelChannel, cancelKey } from '@tidings/contracts'

/** How long a worker that was away can still learn that a job is to stop. */
const SIGNAL_TTL_MS = 24 * 60 * 60 * 1000

type CancelledJob = { queue: string, id: string, created_ms: number }

/**
 * A worker that subscribes first and then looks at the key misses neither. The
 * key says which job is meant: its id may come again within the day, for a job
 * of somebody else.
 */
export async function tellWorker (redis: Redis, { queue, id, created_ms: createdMs }: CancelledJob): Promise<void> {
  await redis.multi().set(cancelKey(queue, id), createdMs, 'PX', SIGNAL_TTL_MS).publish(cancelChannel(queue), id).exec()
}
