import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import {
  compareEventIds, endKey, eventIdOf, UNKNOWN_ID, type EventId, type RelayPosition, type StreamWriter
} from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { RecentEnd, RecentEnds } from './recent-ends.ts'
import { storedEnds, type Loss } from './stored-ends.ts'

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
  /** Whether BullMQ's stream of the queue has an entry. */
  hasEntry: (id: string) => Promise<boolean>
  recentEnds: RecentEnds
  /** What the stream lacks of what Postgres has seen, if it was not opened since. */
  loss: Loss | undefined
  minimumId: EventId
  log: FastifyBaseLogger
}

/** An end to publish again; `onPublished` gets its new id. */
type LostEnd = {
  event: JobEvent
  firstId: EventId | typeof UNKNOWN_ID
  onPublished?: (id: EventId) => void
}

/**
 * Publishes the ends again that the stream has lost, each with the id of its first publication: rows and webhooks that
 * have not processed it do so now, all others skip it. The job's mark holds the time of the end, so that a second run
 * of the job publishes nothing.
 *
 * They are the recent ends of this queue, which this process remembers, and those of all queues that Postgres has: it
 * may have read one just before the loss, while the reply to the relay was lost. Without a reply nobody knows the id of
 * an end that only a gateway or a dispatcher has read: it is published as one that may repeat another.
 *
 * The newest come first, and before anything else: a consumer that starts now, and lacks some, has only its position.
 */
export async function republishLostEnds (context: Context): Promise<void> {
  const { queue, sql, stream, recentEnds, loss, log } = context
  const position = await stream.position(queue)
  recentEnds.forgetIfRelayed(position)
  const remembered = [...await unconfirmedEnds(position, context), ...await recentLostEnds(recentEnds, stream)]
  const known = new Set(remembered.map(({ event }) => endKey(event)))
  let count = 0
  let stored = 0
  for await (const page of loss ? storedEnds(sql, loss) : [[]]) {
    const unknown = page.filter(({ event }) => !known.has(endKey(event)))
    stored += unknown.length
    count += await republish([...remembered.splice(0), ...unknown], context)
    if (stored < MAX_STORED) continue
    log.error({ ends: stored }, 'relay: Redis has lost more ends than are published again')
    break
  }
  if (recentEnds.unconfirmed) recentEnds.settle('published')
  if (count > 0) log.warn({ queue, ends: count }, 'relay: Redis has lost ends, they were published again')
}

/**
 * The ends of the batch that Redis did not reply to, where it has lost BullMQ's entries that led to them: nobody reads
 * these again. Otherwise the stream has the batch, or the relay reads it again.
 */
async function unconfirmedEnds ({ at }: RelayPosition, { hasEntry, recentEnds }: Context): Promise<LostEnd[]> {
  const { unconfirmed } = recentEnds
  if (!unconfirmed) return []
  const { from, to, ends } = unconfirmed
  const moved = compareEventIds(eventIdOf(at), eventIdOf(from.at))
  const isReadAgain = moved === 0 && await hasEntry(to.at)
  if (moved > 0 || isReadAgain) {
    recentEnds.settle(isReadAgain ? 'to be read' : 'published')
    return []
  }
  return ends.map(event => ({
    event, firstId: UNKNOWN_ID, onPublished: id => { recentEnds.noteUnconfirmed(event, id) }
  }))
}

async function recentLostEnds (recentEnds: RecentEnds, stream: StreamWriter): Promise<LostEnd[]> {
  const recent = recentEnds.all()
  return recent.slice(await countKept(recent, stream)).map(end => ({
    event: end.event, firstId: end.firstId, onPublished: id => { end.id = id }
  }))
}

/** Publishes them, newest first; returns how many they are. */
async function republish (
  lost: LostEnd[], { queue, stream, recentEnds, minimumId }: Context
): Promise<number> {
  const ends = lost.toSorted((a, b) => compareEventIds(orderOf(b), orderOf(a)))
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
    batch.forEach(({ onPublished }, i) => { if (ids[i]) onPublished?.(ids[i]) })
    recentEnds.lastId = outcome.last
  }
  return ends.length
}

/** Ends of a batch without a reply are the newest. */
function orderOf ({ firstId }: LostEnd): EventId {
  return firstId === UNKNOWN_ID ? { ms: Number.MAX_SAFE_INTEGER, seq: 0 } : firstId
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
  const isKept = async (end: RecentEnd | undefined) => end === undefined || !await stream.hasLost(end.id)
  if (await isKept(ends.at(-1))) return ends.length
  let [kept, lost] = [0, ends.length - 1]
  while (kept < lost) {
    const middle = (kept + lost) >> 1
    if (await isKept(ends[middle])) kept = middle + 1
    else lost = middle
  }
  return kept
}
