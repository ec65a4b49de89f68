import { isEnd, type PublishedJobEvent } from '@tidings/contracts'
import { endKey, eventIdOf, formatEventId, type EventId, type RecentReads } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'

type Dropped = {
  events: PublishedJobEvent[]
  /** To be called once the batch is accepted. */
  note: () => void
}

/**
 * Drops ends that this shard has read under another id already. An end whose first publication the shard has not read
 * is kept, once: that one was in a gap, or Redis lost it before the shard came to it.
 */
export async function dropRepeated (
  sql: RawSql, shard: number, { events, reads }: { events: PublishedJobEvent[], reads: RecentReads }
): Promise<Dropped> {
  const kept: PublishedJobEvent[] = []
  /** The first ids of the ends in this batch, and by their jobs. */
  const firstIds = new Set<string>()
  const ends = new Map<string, string>()
  const repeated: EventId[] = []
  for (const event of events) {
    const repeats = firstIdOf(event)
    if (repeats !== undefined && (firstIds.has(repeats) || await wasRead(eventIdOf(repeats)))) continue
    kept.push(event)
    if (!isEnd(event.type)) continue
    firstIds.add(repeats ?? event.eventId)
    ends.set(endKey(event), repeats ?? event.eventId)
    if (repeats !== undefined) repeated.push(eventIdOf(repeats))
  }

  function firstIdOf (event: PublishedJobEvent): string | undefined {
    if (!event.mayRepeat) return event.repeats
    const read = reads.firstIdOf(event)
    return ends.get(endKey(event)) ?? (read && formatEventId(read))
  }

  async function wasRead (firstId: EventId): Promise<boolean> {
    if (reads.wasRepeated(firstId)) return true
    return !reads.isUnread(firstId) && !await isInGap(sql, shard, firstId)
  }

  function note (): void {
    for (const firstId of repeated) reads.noteRepeated(firstId)
    for (const event of kept) {
      const firstId = ends.get(endKey(event))
      if (firstId !== undefined) reads.noteEnd(event, eventIdOf(firstId))
    }
  }

  return { events: kept, note }
}

async function isInGap (sql: RawSql, shard: number, { ms, seq }: EventId): Promise<boolean> {
  const rows = await sql`
    select from webhooks.gaps
    where shard = ${shard} and (from_ms, from_seq) < (${ms}, ${seq}) and (${ms}, ${seq}) <= (to_ms, to_seq) limit 1`
  return rows.length > 0
}
