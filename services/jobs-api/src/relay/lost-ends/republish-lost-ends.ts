import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import { compareEventIds, formatEventId, type EventId, type StreamWriter } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { RecentEnd, RecentEnds } from './recent-ends.ts'
import { storedEnds, type Loss, type StoredEnd } from './stored-ends.ts'

const PAGE = 500
/** Results and errors of one append. */
const MAX_BYTES = 8 * 1024 * 1024
/** Ends of one loss that are published again from their rows, beside those that are remembered. */
const MAX_STORED = 20_000

type Context = {
  /** The queue of the relay. */
  queue: string
  sql: RawSql
  stream: StreamWriter
  recentEnds: RecentEnds
  /** What the stream lacks of what Postgres has seen, if it was not opened since. */
  loss: Loss | undefined
  minimumId: EventId
  log: FastifyBaseLogger
}

/** An end to publish again; `recent` where this process remembers it. */
type LostEnd = StoredEnd & { recent?: RecentEnd }

/**
 * Publishes the ends again that the stream has lost, each with the id of its first publication: rows and webhooks that
 * have not processed it do so now, all others skip it. The job's mark holds the time of the end, so that a second run
 * of the job publishes nothing.
 *
 * They are the recent ends of this queue, which this process remembers, and those of all queues that Postgres has: it
 * may have read one just before the loss, while the reply to the relay was lost. The newest come first, and before
 * anything else: a consumer that lacks some has not gone past them when they come, as it knows by its position.
 */
export async function republishLostEnds (context: Context): Promise<void> {
  const { queue, sql, stream, recentEnds, loss, log } = context
  const recent = recentEnds.all()
  const remembered = recent.slice(await countKept(recent, stream))
  const known = new Set(remembered.map(({ firstId }) => formatEventId(firstId)))
  let ends: LostEnd[] = remembered.map(end => ({ event: end.event, firstId: end.firstId, recent: end }))
  let count = 0
  let stored = 0
  if (loss) {
    for await (const page of storedEnds(sql, loss)) {
      const unknown = page.filter(({ firstId }) => !known.has(formatEventId(firstId)))
      count += await republish([...ends, ...unknown], context)
      ends = []
      stored += unknown.length
      if (stored >= MAX_STORED) {
        log.error({ ends: stored }, 'relay: Redis has lost more ends than are published again')
        break
      }
    }
  }
  count += await republish(ends, context)
  if (count > 0) log.warn({ queue, ends: count }, 'relay: Redis has lost ends, they were published again')
}

/** Publishes them, newest first; returns how many they are. */
async function republish (
  lost: LostEnd[], { queue, stream, recentEnds, minimumId }: Context
): Promise<number> {
  const ends = lost.toSorted((a, b) => compareEventIds(b.firstId, a.firstId))
  let minimum = minimumId
  for (const batch of batches(ends)) {
    const events: JobEvent[] = batch.map(({ event }) => ({ ...event, reconciled: true }))
    const endOf = new Map(events.map((event, i) => [event, batch[i]]))
    const repeated = (event: JobEvent) => {
      const end = endOf.get(event)
      return end && { id: end.firstId, at: event.timestamp }
    }
    const position = await stream.position(queue)
    const outcome = await stream.append({ queue, from: position, to: position, events, repeated, minimumId: minimum })
    if (!outcome.moved) throw new Error(`Queue ${queue} is relayed by another replica`)
    minimum = outcome.last
    const ids = outcome.ids()
    batch.forEach(({ recent }, i) => { if (recent) recent.id = ids[i] ?? recent.id })
    recentEnds.lastId = outcome.last
  }
  return ends.length
}

function batches (ends: LostEnd[]): LostEnd[][] {
  const all: LostEnd[][] = []
  let bytes = Infinity
  for (const end of ends) {
    const size = (end.event.result?.length ?? 0) + (end.event.error?.length ?? 0)
    if (bytes + size > MAX_BYTES || all.at(-1)?.length === PAGE) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(end)
    bytes += size
  }
  return all
}

/**
 * The number of the ends, counted from the oldest, that the stream still has. Redis loses its newest writes, in one
 * piece.
 */
async function countKept (ends: RecentEnd[], stream: StreamWriter): Promise<number> {
  const isKept = async (end: RecentEnd | undefined) => end === undefined || await stream.has(end.id)
  if (await isKept(ends.at(-1))) return ends.length
  let [kept, lost] = [0, ends.length - 1]
  while (kept < lost) {
    const middle = (kept + lost) >> 1
    if (await isKept(ends[middle])) kept = middle + 1
    else lost = middle
  }
  return kept
}
