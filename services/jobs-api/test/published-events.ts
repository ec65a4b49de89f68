import type { Redis } from 'ioredis'
import { decode, readHistory, ZERO, type Entry } from '@tidings/job-events'
import { JOB_EVENTS_KEY, type JsonText, type PublishedJobEvent } from '@tidings/contracts'

/** An event with its progress and its result as values. */
export type SeenEvent = Omit<PublishedJobEvent, 'progress' | 'result'> & { progress?: unknown, result?: unknown }

/** Reads all events of the stream, oldest first. */
export async function publishedEvents (redis: Redis): Promise<SeenEvent[]> {
  const entries = await redis.xrange(JOB_EVENTS_KEY, '-', '+')
  return entries.map(([id, [, owner = '', , payload = '']]) => {
    const [ms = 0, seq = 0] = id.split('-').map(Number)
    return seen({ id: { ms, seq }, owner, payload })
  })
}

/** Reads a user's history, oldest first. */
export async function historyOf (redis: Redis, userId: string): Promise<SeenEvent[]> {
  const entries: Entry[] = []
  for await (const page of readHistory(redis, userId, ZERO)) entries.push(...page)
  return entries.map(entry => seen(entry))
}

function seen (entry: Entry): SeenEvent {
  const { progress, result, ...event } = decode(entry)
  return { ...event, ...parsed({ progress, result }) }
}

function parsed (values: Record<string, JsonText | undefined>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, text]) => text === undefined ? [] : [[name, JSON.parse(text)]])
  )
}
