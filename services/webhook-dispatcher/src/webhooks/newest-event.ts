import { ZERO, type EventId, type StreamReader } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/**
 * The newest event: a webhook made now is told of what comes after it. While
 * Redis is away it is the newest one that was ingested, so that a webhook may
 * be told of a little too much, but misses nothing.
 */
export async function newestEvent (stream: Pick<StreamReader, 'last'>, sql: RawSql): Promise<EventId> {
  try {
    return await stream.last() ?? ZERO
  } catch {
    const [row] = await sql<EventId[]>`
      select event_ms as ms, event_seq as seq from webhooks.positions order by event_ms desc, event_seq desc limit 1`
    return row ?? ZERO
  }
}
