import type { Redis } from 'ioredis'
import { streamInfo, type RelayPosition } from '@tidings/job-events'
import { queueEventsKey, type QueueKeys } from './queue-keys.ts'

type StreamInfo = { entriesAdded: number, lastId: string }

/** XINFO of BullMQ's event stream of a queue; zeros if there is none. */
export async function eventStreamInfo (redis: Redis, queue: QueueKeys): Promise<StreamInfo> {
  const info = await streamInfo(redis, queueEventsKey(queue))
  if (!info) return { entriesAdded: 0, lastId: '0-0' }
  return { entriesAdded: Number(info['entries-added']), lastId: String(info['last-generated-id']) }
}

/** The number of BullMQ's entries after the relay's position. */
export async function backlogOf (redis: Redis, queue: QueueKeys, { read, lost }: RelayPosition): Promise<number> {
  const { entriesAdded } = await eventStreamInfo(redis, queue)
  return Math.max(0, entriesAdded - read - lost)
}
