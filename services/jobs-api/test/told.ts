import type { Redis } from 'ioredis'
import { decode, readHistory, ZERO, type Entry } from '@tidings/job-events'
import { JOB_EVENTS_KEY, type ToldJobEvent } from '@tidings/contracts'

/** All events of the stream, oldest first. */
export async function toldEvents (redis: Redis): Promise<ToldJobEvent[]> {
  const entries = await redis.xrange(JOB_EVENTS_KEY, '-', '+')
  return entries.map(([id, [, owner = '', , payload = '']]) => {
    const [ms = 0, seq = 0] = id.split('-').map(Number)
    return decode({ id: { ms, seq }, owner, payload })
  })
}

/** A user's history, oldest first. */
export async function toldTo (redis: Redis, userId: string): Promise<ToldJobEvent[]> {
  const entries: Entry[] = []
  for await (const page of readHistory(redis, userId, ZERO)) entries.push(...page)
  return entries.map(entry => decode(entry))
}
