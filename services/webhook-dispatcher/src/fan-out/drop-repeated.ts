import type { PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, isNewer, type EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/**
 * Drops ends that this shard has read under another id already. An end whose first publication the shard has not read
 * is kept, once: that one was in a gap, or Redis lost it before the shard came to it.
 */
export async function dropRepeated (
  sql: RawSql, shard: number, { from, events }: { from: EventId, events: PublishedJobEvent[] }
): Promise<PublishedJobEvent[]> {
  const missed = new Map<PublishedJobEvent, boolean>()
  const met = new Set<string>()
  for (const event of events) {
    if (event.repeats === undefined) continue
    const first = eventIdOf(event.repeats)
    const isUnread = isNewer(first, from) && !events.some(({ eventId }) => eventId === event.repeats)
    missed.set(event, !met.has(event.repeats) && (isUnread || await isInGap(sql, shard, first)))
    met.add(event.repeats)
  }
  return missed.size === 0 ? events : events.filter(event => missed.get(event) ?? true)
}

async function isInGap (sql: RawSql, shard: number, { ms, seq }: EventId): Promise<boolean> {
  const rows = await sql`
    select from webhooks.gaps
    where shard = ${shard} and (from_ms, from_seq) < (${ms}, ${seq}) and (${ms}, ${seq}) <= (to_ms, to_seq) limit 1`
  return rows.length > 0
}
