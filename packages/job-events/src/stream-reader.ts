import type { Redis } from 'ioredis'
import { JOB_EVENTS_KEY, LOW_WATER_KEY } from '@tidings/contracts'
import { eventIdOf, formatEventId, isNewer, type EventId } from './event-id.ts'
import { streamInfo } from './stream-info.ts'

export type StreamReader = ReturnType<typeof createStreamReader>

/** Questions about the stream of job events. The connection is shared; nothing here blocks it (`consume` does). */
export function createStreamReader (redis: Redis) {
  /** The newest id given out; undefined before the stream is opened. */
  async function last (): Promise<EventId | undefined> {
    const info = await streamInfo(redis, JOB_EVENTS_KEY)
    return info && eventIdOf(info['last-generated-id'] as string)
  }

  /** Whether Redis has lost this event, which was in the stream, and was not trimmed since. */
  async function hasLost (id: EventId): Promise<boolean> {
    const text = formatEventId(id)
    if ((await redis.xrange(JOB_EVENTS_KEY, text, text)).length > 0) return false
    const lowWater = await redis.get(LOW_WATER_KEY)
    return lowWater === null || isNewer(id, eventIdOf(lowWater))
  }

  /** The number of events in the stream and its size in Redis' memory. */
  async function size (): Promise<{ events: number, bytes: number }> {
    const [events, bytes] = await Promise.all([redis.xlen(JOB_EVENTS_KEY), redis.memory('USAGE', JOB_EVENTS_KEY)])
    return { events, bytes: Number(bytes ?? 0) }
  }

  return { last, hasLost, size }
}

/**
 * Whether the stream holds an event above a position. The last id given out does not say so: it may stand for no event.
 */
export async function hasNewer (redis: Redis, position: EventId): Promise<boolean> {
  const newest = (await redis.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1))[0]
  return newest !== undefined && isNewer(eventIdOf(newest[0]), position)
}
