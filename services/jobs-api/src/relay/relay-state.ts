import type { Redis } from 'ioredis'
import { relayPositionKey } from '@tidings/contracts'

/**
 * State of a queue's relay that survives a failover. It is kept beside the relay's position in one hash, so that both
 * are lost together, if at all:
 * - run: the run id of the Redis process that was read last
 * - gap: the BullMQ id before which jobs may have started unseen
 * - requested: how many times a comparison of all open rows with BullMQ was requested (field `suspected`)
 * - reconciled: the count of requests that the last comparison covered
 */
type RelayState = { run: string | null, gap: string | null, requested: number, reconciled: number }

/** The name from before the field was called a request: replicas of both releases count in it during an upgrade. */
const REQUESTED = 'suspected'

export async function readRelayState (redis: Redis, queue: string): Promise<RelayState> {
  const key = relayPositionKey(queue)
  const [run, gap, requested, reconciled] = await redis.hmget(key, 'run', 'gap', REQUESTED, 'reconciled')
  return { run: run ?? null, gap: gap ?? null, requested: Number(requested ?? 0), reconciled: Number(reconciled ?? 0) }
}

/** Requests a comparison of all open rows of these queues with BullMQ: the rows may be behind forever. */
export async function requestReconcile (redis: Redis, queues: string[]): Promise<void> {
  for (const queue of queues) await redis.hincrby(relayPositionKey(queue), REQUESTED, 1)
}

/** Saves the id before which jobs may have started unseen, and requests a comparison. */
export async function saveGap (redis: Redis, queue: string, gap: string): Promise<void> {
  await redis.multi().hset(relayPositionKey(queue), 'gap', gap).hincrby(relayPositionKey(queue), REQUESTED, 1).exec()
}

/** Saves the run id of a Redis process that was not read before, and requests a comparison. */
export async function saveRunId (redis: Redis, queue: string, run: string): Promise<void> {
  await redis.multi().hset(relayPositionKey(queue), 'run', run).hincrby(relayPositionKey(queue), REQUESTED, 1).exec()
}

export async function saveReconciled (redis: Redis, queue: string, requested: number): Promise<void> {
  await redis.hset(relayPositionKey(queue), 'reconciled', requested)
}
