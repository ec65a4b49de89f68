import { ZERO, type EventId, type StreamReader } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/**
 * The newest event: a webhook created now receives the events after it. While
 * Redis is away it is the newest event that fan-out has read, so that the
 * webhook may receive a few earlier events, but misses none.
 */
export async function newestEvent (stream: Pick<StreamReader, 'last'>, sql: RawSql): Promise<EventId> {
  try {
    return await stream.last() ?? ZERO
  } catch {
    const [row] = await sql<EventId[]>`
      select event_ms as ms, event_seq as seq from webhooks.shard_positions order by event_ms desc, event_seq desc limit 1`
    return row ?? ZERO
  }
}
