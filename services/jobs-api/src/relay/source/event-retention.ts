import type { Redis } from 'ioredis'
import type { RelayPosition } from '@tidings/job-events'
import { backlogOf } from '../../bullmq/event-stream.ts'
import { queueEventsKey, queueMetaKey, type QueueKeys } from '../../bullmq/queue-keys.ts'

const MAX_EVENTS_FIELD = 'opts.maxLenEvents'

/**
 * Sets BullMQ's limit of events to the number that a relay which was away may need. Every `new Queue()` of another
 * producer resets it to BullMQ's default (10,000), so this runs periodically. Returns whether a change was needed.
 */
export async function restoreEventRetention (redis: Redis, queue: QueueKeys, ahead: number): Promise<boolean> {
  const key = queueMetaKey(queue)
  if (await redis.hget(key, MAX_EVENTS_FIELD) === String(ahead)) return false
  await redis.hset(key, MAX_EVENTS_FIELD, ahead)
  return true
}

/** Trims the relayed entries except the newest `behind`: with so high a limit BullMQ would not trim them. */
export async function trimRelayed (
  redis: Redis, queue: QueueKeys, position: RelayPosition, behind: number
): Promise<number> {
  const backlog = await backlogOf(redis, queue, position)
  return await redis.xtrim(queueEventsKey(queue), 'MAXLEN', '~', behind + backlog)
}
