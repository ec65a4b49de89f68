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
  /** The ends among them, by their first ids. */
  const ends = new Map<string, PublishedJobEvent>()
  for (const event of events) {
    const repeats = event.mayRepeat ? firstIdOf(event) : event.repeats
    if (repeats !== undefined && (ends.has(repeats) || await wasRead(eventIdOf(repeats)))) continue
    kept.push(event)
    if (isEnd(event.type)) ends.set(repeats ?? event.eventId, event)
  }

  /** Undefined where it is not known to have been published before. */
  function firstIdOf (event: PublishedJobEvent): string | undefined {
    const ahead = ends.entries().find(([, other]) => endKey(other) === endKey(event))
    const read = reads.firstIdOf(event)
    return ahead?.[0] ?? (read && formatEventId(read))
  }

  async function wasRead (firstId: EventId): Promise<boolean> {
    if (reads.wasRepeated(firstId)) return true
    return !reads.isUnread(firstId) && !await isInGap(sql, shard, firstId)
  }

  function note (): void {
    for (const [text, event] of ends) {
      const firstId = eventIdOf(text)
      reads.noteEnd(event, firstId)
      if (text !== event.eventId) reads.noteRepeated(firstId)
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
