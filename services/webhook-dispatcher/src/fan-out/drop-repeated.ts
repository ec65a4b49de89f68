import type { PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, type EventId, type Repetitions } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/**
 * Drops ends that this shard has read under another id already. An end whose first publication the shard has not read
 * is kept, once: that one was in a gap, or Redis lost it before the shard came to it. `repeated`: the first ids of
 * those that are kept, to be noted once the batch is accepted.
 */
export async function dropRepeated (
  sql: RawSql, shard: number, { events, repetitions }: { events: PublishedJobEvent[], repetitions: Repetitions }
): Promise<{ events: PublishedJobEvent[], repeated: EventId[] }> {
  const kept = new Map<string, PublishedJobEvent>()
  for (const event of events) {
    if (event.repeats === undefined || kept.has(event.repeats)) continue
    const first = eventIdOf(event.repeats)
    const isMissing = repetitions.isUnread(first) || await isInGap(sql, shard, first)
    if (isMissing && !repetitions.wasRepeated(first)) kept.set(event.repeats, event)
  }
  return {
    events: events.filter(event => event.repeats === undefined || kept.get(event.repeats) === event),
    repeated: [...kept.keys()].map(eventIdOf)
  }
}

async function isInGap (sql: RawSql, shard: number, { ms, seq }: EventId): Promise<boolean> {
  const rows = await sql`
    select from webhooks.gaps
    where shard = ${shard} and (from_ms, from_seq) < (${ms}, ${seq}) and (${ms}, ${seq}) <= (to_ms, to_seq) limit 1`
  return rows.length > 0
}
