import type { Redis } from 'ioredis'
import type { RelayPosition } from '@tidings/job-events'
import { queueEventsKey, type QueueKeys } from './queue-keys.ts'

/** How many of BullMQ's entries wait for the relay that stands here. */
export async function unreadEntries (redis: Redis, queue: QueueKeys, { read, lost }: RelayPosition): Promise<number> {
  const info = await redis.xinfo('STREAM', queueEventsKey(queue)).catch(undefinedWhenMissing) as unknown[] | undefined
  return info ? Math.max(0, Number(info[info.indexOf('entries-added') + 1]) - read - lost) : 0
}

function undefinedWhenMissing (err: Error): undefined {
  if (!err.message.includes('no such key')) throw err
}
