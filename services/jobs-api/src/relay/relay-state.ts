import type { Redis } from 'ioredis'
import { relayPositionKey } from '@tidings/contracts'

/**
 * What a queue's relay must remember over a fail-over, beside its position in
 * the same hash (so that both are lost together, if they are):
 * - run: the life of the Redis process that it last read from
 * - gap: BullMQ's id behind which jobs may have begun unseen
 * - suspected: how often open rows came to be in doubt; reconciled: up to which of these they were compared
 */
export type Memory = { run: string | null, gap: string | null, suspected: number, reconciled: number }

export async function recall (redis: Redis, queue: string): Promise<Memory> {
  const [run, gap, suspected, reconciled] = await redis.hmget(relayPositionKey(queue), 'run', 'gap', 'suspected', 'reconciled')
  return { run: run ?? null, gap: gap ?? null, suspected: Number(suspected ?? 0), reconciled: Number(reconciled ?? 0) }
}

/** Open rows may be behind for ever: they are to be compared with BullMQ. */
export async function suspect (redis: Redis, queues: string[]): Promise<void> {
  for (const queue of queues) await redis.hincrby(relayPositionKey(queue), 'suspected', 1)
}

/** Remembers where jobs may have begun unseen, and that open rows are in doubt. */
export async function rememberGap (redis: Redis, queue: string, gap: string): Promise<void> {
  await redis.multi().hset(relayPositionKey(queue), 'gap', gap).hincrby(relayPositionKey(queue), 'suspected', 1).exec()
}

export async function rememberRun (redis: Redis, queue: string, run: string): Promise<void> {
  await redis.multi().hset(relayPositionKey(queue), 'run', run).hincrby(relayPositionKey(queue), 'suspected', 1).exec()
}

export async function rememberReconciled (redis: Redis, queue: string, upTo: number): Promise<void> {
  await redis.hset(relayPositionKey(queue), 'reconciled', upTo)
}
