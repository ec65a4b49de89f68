import type { Redis } from 'ioredis'
import { EPOCH_KEY, JOB_EVENTS_KEY, userHistoryKey } from '@tidings/contracts'
import { DEFAULT_BOUNDS } from './bounds.ts'
import { entryOf, type Entry } from './entry.ts'
import { eventIdOf, formatEventId, type EventId } from './event-id.ts'
import { withScripts } from './scripts.ts'

const PAGE = 200

/** Whether a user's history holds all events after `since`, and the stream's last id at that moment. */
export async function historyCovers (
  redis: Redis, userId: string, since: EventId, ttlMs = DEFAULT_BOUNDS.historyTtlMs
): Promise<{ covers: boolean, last: EventId }> {
  const [covers, last] = await withScripts(redis)
    .tidingsCovers(JOB_EVENTS_KEY, EPOCH_KEY, userHistoryKey(userId), since.ms, since.seq, ttlMs)
  return { covers: covers === 1, last: eventIdOf(last) }
}

/**
 * A user's events after `since`, oldest first, page by page, up to the end of the history when the last page is read;
 * that page may be empty. Each page is read when the caller asks for it, so a slow caller buffers nothing.
 */
export async function * readHistory (redis: Redis, userId: string, since: EventId): AsyncGenerator<Entry[]> {
  const key = userHistoryKey(userId)
  for (let after = since; ;) {
    const page = await redis.xrange(key, `(${formatEventId(after)}`, '+', 'COUNT', PAGE)
    const entries = page.map(entry => entryOf(entry, userId))
    yield entries
    const end = entries.at(-1)
    if (!end || entries.length < PAGE) return
    after = end.id
  }
}
