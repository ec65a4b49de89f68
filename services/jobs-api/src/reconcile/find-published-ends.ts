import type { Redis } from 'ioredis'
import { isEnd, type JobEvent } from '@tidings/contracts'
import { DEFAULT_BOUNDS, decodeAll, readHistory, UnsupportedJobEvent, type EventId } from '@tidings/job-events'

/** A younger end still has its mark, which the append checks. */
const MARKED_MS = DEFAULT_BOUNDS.finalityTtlMs / 3

type FindEnd = (event: JobEvent) => EventId | undefined

/**
 * Finds ends that were published long ago and trimmed off the stream before they were projected: the histories of their
 * users keep them longer. Published again under another id they would be delivered twice.
 */
export async function findPublishedEnds (redis: Redis, events: JobEvent[]): Promise<FindEnd> {
  const old = events.filter(event => isEnd(event.type) && event.timestamp < Date.now() - MARKED_MS)
  const byUser = Map.groupBy(old, ({ userId }) => userId)
  const found = new Map<JobEvent, EventId>()
  for (const [userId, ends] of byUser) await findOfUser(redis, userId, ends, found)
  return event => found.get(event)
}

async function findOfUser (
  redis: Redis, userId: string, ends: JobEvent[], found: Map<JobEvent, EventId>
): Promise<void> {
  const wanted = new Map(ends.map(event => [keyOf(event), event]))
  // No published end is older than the job's own.
  const since = { ms: Math.min(...ends.map(({ timestamp }) => timestamp)) - 1, seq: 0 }
  try {
    for await (const page of readHistory(redis, userId, since)) {
      for (const entry of page) {
        const [event] = decodeAll([entry], () => {})
        const end = event && wanted.get(keyOf(event))
        if (!end) continue
        if (event.type === end.type) found.set(end, entry.repeats ?? entry.id)
        else if (event.type !== 'progress') found.delete(end) // the job was reopened
      }
    }
  } catch (err) {
    // Another key in place of the history, or an event of a newer release in it: then the history is of no use.
    const isWrongType = err instanceof Error && err.message.startsWith('WRONGTYPE')
    if (!isWrongType && !(err instanceof UnsupportedJobEvent)) throw err
  }
}

function keyOf ({ queue, jobId, generation }: JobEvent): string {
  return `${queue}\n${jobId}\n${generation ?? ''}`
}
