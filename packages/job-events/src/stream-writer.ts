import type { Redis } from 'ioredis'
import {
  EPOCH_KEY, EVENT_TYPES, JOB_EVENTS_KEY, LOW_WATER_KEY, finalityKey, relayPositionKey, userHistoryKey, type JobEvent
} from '@tidings/contracts'
import { DEFAULT_BOUNDS, type StreamBounds } from './bounds.ts'
import { encode, UNKNOWN_ID } from './entry.ts'
import { eventIdOf, formatEventId, ZERO, type EventId } from './event-id.ts'
import { withScripts } from './scripts.ts'
import { createStreamReader } from './stream-reader.ts'

/**
 * How far the relay has read one queue's BullMQ events: the last id, the number of entries read, and the number of
 * entries that were trimmed before they could be read.
 */
export type RelayPosition = { at: string, read: number, lost: number }

export const START: RelayPosition = { at: '0-0', read: 0, lost: 0 }

/** A burst at the end of a quiet day takes about ten. */
const MAX_CUTS = 30

/** An end that was published before; see `Batch.repeated`. */
type Repeated = { id?: EventId | typeof UNKNOWN_ID | undefined, at?: number, seen?: EventId }

export type Batch = {
  queue: string
  from: RelayPosition
  to: RelayPosition
  events: JobEvent[]
  /**
   * For an end that was published before: the id that it had, or `'?'` for an end of which neither that is known nor
   * whether it was published. `at` is given for a conclusion of an end that Redis has lost: entries of BullMQ up to
   * this time (milliseconds) led to it. `seen` is the last event that the row of another conclusion has seen: an end
   * that was published up to there is an earlier one.
   */
  repeated?: ((event: JobEvent) => Repeated | undefined) | undefined
  /** The highest id that Postgres has seen: new ids are above it, even after Redis lost data or its clock went back. */
  minimumId: EventId
}

export type AppendOutcome =
  | {
    moved: true
    appended: number
    /** How many events of finished jobs were left out. */
    dropped: number
    /** The id that each event of the batch got, in order; undefined for one that was left out. */
    ids: () => (EventId | undefined)[]
    /** Histories that were created again. */
    repaired: number
    /** The new ids run from `first` to `last` without a hole; there are none where `appended` is 0. */
    first: EventId
    last: EventId
  }
  /** Nothing was written: the position is not where the batch began, or Redis has lost what Postgres has seen. */
  | { moved: false, position: RelayPosition }

/** The end of a job as Postgres knows it: the id of its event, and the time of BullMQ's entry. */
export type KnownEnd = { queue: string, jobId: string, generation?: string | undefined, id: EventId, at: number }

export type StreamWriter = ReturnType<typeof createStreamWriter>

/** The writing end of the stream of job events, for the relay. The connection is shared; nothing here blocks it. */
export function createStreamWriter (client: Redis, bounds: StreamBounds = DEFAULT_BOUNDS) {
  const redis = withScripts(client)

  /** Makes sure that the stream exists and continues above `minimumId`. Idempotent; to be called at every connect. */
  async function open (minimumId: EventId = ZERO): Promise<{ epoch: EventId, last: EventId }> {
    const [epoch, last] = await redis.tidingsOpen(JOB_EVENTS_KEY, EPOCH_KEY, minimumId.ms, minimumId.seq)
    return { epoch: eventIdOf(epoch), last: eventIdOf(last) }
  }

  /**
   * Appends a batch and moves the queue's position in one step, or does nothing. A batch that is sent twice (the first
   * reply was lost) is refused the second time. A stream that is behind the minimum id accepts only a batch of ends
   * that Redis has lost (`repeated` with `at`), of any queues, and continues above that id.
   */
  async function append ({ queue, from, to, events, repeated, minimumId }: Batch): Promise<AppendOutcome> {
    const reply = await redis.tidingsAppend(
      relayPositionKey(queue), JOB_EVENTS_KEY, EPOCH_KEY, LOW_WATER_KEY,
      from.at, from.read, to.at, to.read, to.lost, minimumId.ms, minimumId.seq,
      bounds.retentionMs, bounds.historyLength, bounds.historyTtlMs, bounds.finalityTtlMs,
      ...events.flatMap(event => argumentsOf(event, repeated?.(event)))
    )
    if (reply[0] === 0) return { moved: false, position: positionOf(reply.slice(1) as string[]) }
    const [, appended, dropped, repaired, firstText, last, left] = reply
    const first = eventIdOf(firstText)
    const ids = () => idsFrom(first, events.length, new Set(left))
    return { moved: true, appended, dropped, repaired, first, last: eventIdOf(last), ids }
  }

  /**
   * Marks jobs as finished whose end Redis has lost, before the stream continues above `last`: their events are not
   * published again, until an entry younger than the end opens the job. False where the stream has continued already.
   */
  async function markEnds (last: EventId, ends: KnownEnd[]): Promise<boolean> {
    const marks = ends.flatMap(({ queue, jobId, generation, id, at }) =>
      [finalityKey(queue, jobId, generation), formatEventId(id), at])
    return await redis.tidingsMarkEnds(JOB_EVENTS_KEY, formatEventId(last), bounds.retentionMs, ...marks) === 1
  }

  /** The position of a queue's relay; the start where it never ran. */
  async function position (queue: string): Promise<RelayPosition> {
    return positionOf(await redis.hmget(relayPositionKey(queue), 'at', 'read', 'lost'))
  }

  /** Cuts off the oldest events where the stream is larger than its bound. Returns how many went. */
  async function trimToSize (): Promise<number> {
    let trimmed = 0
    for (let cuts = 0; cuts < MAX_CUTS; cuts++) {
      const some = await cutOnce()
      if (some === 0) break
      trimmed += some
    }
    return trimmed
  }

  async function cutOnce (): Promise<number> {
    const bytes = Number(await redis.memory('USAGE', JOB_EVENTS_KEY) ?? 0)
    if (bytes <= bounds.maxBytes) return 0
    const [oldest, newest] = await Promise.all([
      redis.xrange(JOB_EVENTS_KEY, '-', '+', 'COUNT', 1),
      redis.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1)
    ])
    if (!oldest[0] || !newest[0]) return 0
    // Entries are not spread evenly over time: the first cut comes close, a few more reach the bound.
    const share = 1 - 0.9 * bounds.maxBytes / bytes
    const [from, to] = [eventIdOf(oldest[0][0]).ms, eventIdOf(newest[0][0]).ms]
    const cut = { ms: Math.ceil(from + (to - from) * share), seq: 0 }
    return await redis.tidingsTrim(JOB_EVENTS_KEY, LOW_WATER_KEY, formatEventId(cut))
  }

  return { ...createStreamReader(client), open, append, markEnds, position, trimToSize }
}

/** Ids are assigned without a hole, in the order of the batch. */
function idsFrom ({ ms, seq }: EventId, count: number, left: Set<number>): (EventId | undefined)[] {
  let next = seq
  return Array.from({ length: count }, (_, i) => left.has(i) ? undefined : { ms, seq: next++ })
}

function argumentsOf (event: JobEvent, repeats: Repeated | undefined): string[] {
  return [
    event.userId,
    userHistoryKey(event.userId),
    finalityKey(event.queue, event.jobId, event.generation),
    kindTextOf(event, repeats),
    encode(event)
  ]
}

function kindTextOf (event: JobEvent, { id, at, seen }: Repeated = {}): string {
  const kind = kindOf(event)
  switch (kind) {
    case 'open': return event.reconciled ? kind : `${kind} ${event.timestamp}`
    case 'other': return kind
    case 'final': return id === UNKNOWN_ID ? `${kind} ${id}` : kind
    default: return [
      kind,
      ...id === undefined ? [] : [id === UNKNOWN_ID ? id : formatEventId(id)],
      ...at === undefined ? [] : [at],
      ...seen === undefined ? [] : [`>${formatEventId(seen)}`]
    ].join(' ')
  }
}

type Kind = 'open' | 'final' | 'other' | 'concluded'

/** A reconciliation takes precedence over earlier events: its end is always published, another state opens the job. */
function kindOf ({ type, reopened, reconciled }: JobEvent): Kind {
  if (type === 'added' || reopened) return 'open'
  const { isFinal } = EVENT_TYPES[type]
  if (reconciled) return isFinal ? 'concluded' : 'open'
  return isFinal ? 'final' : 'other'
}

function positionOf ([at, read, lost]: (string | null | undefined)[]): RelayPosition {
  return { at: at ?? START.at, read: Number(read ?? 0), lost: Number(lost ?? 0) }
}
