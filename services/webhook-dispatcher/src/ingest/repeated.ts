import type { PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf, type EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

/**
 * Leaves out ends that this shard has read under another id, before they were
 * trimmed off the stream and told once more for the rows. What lay in a gap it
 * has not read: that is delivered now.
 */
export async function withoutRepeated (sql: RawSql, shard: number, events: PublishedJobEvent[]): Promise<PublishedJobEvent[]> {
  const missed = new Map<PublishedJobEvent, boolean>()
  for (const event of events) {
    if (event.repeats !== undefined) missed.set(event, await isInGap(sql, shard, eventIdOf(event.repeats)))
  }
  return missed.size === 0 ? events : events.filter(event => missed.get(event) ?? true)
}

async function isInGap (sql: RawSql, shard: number, { ms, seq }: EventId): Promise<boolean> {
  const rows = await sql`
    select from webhooks.gaps
    where shard = ${shard} and (from_ms, from_seq) < (${ms}, ${seq}) and (${ms}, ${seq}) <= (to_ms, to_seq) limit 1`
  return rows.length > 0
}
