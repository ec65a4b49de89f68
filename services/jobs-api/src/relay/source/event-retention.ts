import type { Redis } from 'ioredis'
import type { RelayPosition } from '@tidings/job-events'
import { queueEventsKey, queueMetaKey, type QueueKeys } from '../../bullmq/queue-keys.ts'
import { unreadEntries } from '../../bullmq/event-stream-info.ts'

const CAP_FIELD = 'opts.maxLenEvents'

/**
 * Sets BullMQ's cap of events to what a relay that is away may need. Every
 * `new Queue()` of another producer sets it back to its own (10,000), so this
 * comes again and again. Returns whether it had to.
 */
export async function repairCap (redis: Redis, queue: QueueKeys, ahead: number): Promise<boolean> {
  const key = queueMetaKey(queue)
  if (await redis.hget(key, CAP_FIELD) === String(ahead)) return false
  await redis.hset(key, CAP_FIELD, ahead)
  return true
}

/** Trims what was relayed, but the newest `behind` entries: with so high a cap nobody else would. */
export async function trimBehind (redis: Redis, queue: QueueKeys, position: RelayPosition, behind: number): Promise<number> {
  const unread = await unreadEntries(redis, queue, position)
  return await redis.xtrim(queueEventsKey(queue), 'MAXLEN', '~', behind + unread)
}
