import type { Redis } from 'ioredis'
import { cancelChannel, cancelKey } from '@tidings/contracts'

/** How long a worker that was away can still learn that a job is to stop. */
const SIGNAL_TTL_MS = 24 * 60 * 60 * 1000

/** A worker that subscribes first and then looks for the key misses neither. */
export async function tellWorker (redis: Redis, { queue, id }: { queue: string, id: string }): Promise<void> {
  await redis.multi().set(cancelKey(queue, id), '1', 'PX', SIGNAL_TTL_MS).publish(cancelChannel(queue), id).exec()
}
