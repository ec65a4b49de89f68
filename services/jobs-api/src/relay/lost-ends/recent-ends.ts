import { isEnd, type JobEvent } from '@tidings/contracts'
import { endKey, eventIdOf, isNewer, UNKNOWN_ID, ZERO, type EventId, type RelayPosition } from '@tidings/job-events'

/** Redis with `appendfsync everysec` may lose the last second or two; a late write of its log takes longer. */
const KEPT_MS = 10_000
/** A Redis that is away for longer restarts without these ends. */
const MAX_AGE_MS = 5 * 60_000
/** If either limit is reached the oldest ends are dropped. */
const MAX_ENDS = 20_000
const MAX_BYTES = 16 * 1024 * 1024

export type RecentEnd = {
  event: JobEvent
  /** The id under which it was published first; where Redis did not reply, it is not known whether it was. */
  firstId: EventId | typeof UNKNOWN_ID
  /** Where it is in the stream: another id once it was published again. */
  id: EventId
  notedAt: number
  bytes: number
}

/** A batch whose append Redis has not replied to. */
export type UnconfirmedBatch = { from: RelayPosition, to: RelayPosition, ends: JobEvent[], sentAt: number }

/**
 * The ends that this process published for a queue within the last seconds of Redis. When Redis loses its newest
 * writes, it loses them in one piece: the relay finds these ends missing and publishes them again, with a reference to
 * their first id.
 */
export class RecentEnds {
  /** The newest id that this process published: the stream continues above it, even if Redis has lost it. */
  lastId: EventId = ZERO
  readonly #ends = new Map<string, RecentEnd>()
  #bytes = 0
  readonly #now: () => number
  #newestAt = 0
  /** BullMQ's newest id that this process has relayed, or tried to. */
  #relayedTo = ZERO
  #unconfirmed: UnconfirmedBatch | undefined
  readonly #doubtful = new Set<string>()

  /** `now` in milliseconds. */
  constructor (now = () => performance.now()) {
    this.#now = now
  }

  /** A batch is on its way to Redis. */
  send (events: readonly JobEvent[], from: RelayPosition, to: RelayPosition): void {
    this.#relayedTo = eventIdOf(to.at)
    const ends = events.filter(({ type }) => isEnd(type))
    this.#unconfirmed = { from, to, ends, sentAt: this.#now() }
  }

  /** Notes the appended events with their ids; the id of a dropped event is undefined. */
  note (events: readonly JobEvent[], last: EventId, ids: () => (EventId | undefined)[]): void {
    this.lastId = last
    this.#unconfirmed = undefined
    this.#newestAt = this.#now()
    let published: (EventId | undefined)[] | undefined
    events.forEach((event, i) => {
      if (!changesEnd(event)) return
      published ??= ids()
      const id = published[i]
      if (id === undefined) return
      if (isEnd(event.type)) this.#put(event, this.mayRepeat(event) ? UNKNOWN_ID : id, id)
      else this.#remove(keyOf(event)) // a reopened job has not ended
    })
    this.#noLongerDoubtful(events)
    this.#trim()
  }

  /** An end of a batch without a reply was published, after Redis had lost it, or what led to it. */
  noteUnconfirmed (event: JobEvent, id: EventId): void {
    this.#newestAt = this.#now()
    this.#put(event, UNKNOWN_ID, id)
    this.#trim()
  }

  /** The recent ends, oldest first. */
  all (): RecentEnd[] {
    const since = this.#now() - MAX_AGE_MS
    return [...this.#ends.values()].filter(({ notedAt }) => notedAt > since)
  }

  /** The batch that Redis may have taken or not. */
  get unconfirmed (): UnconfirmedBatch | undefined {
    return this.#unconfirmed && this.#unconfirmed.sentAt > this.#now() - MAX_AGE_MS ? this.#unconfirmed : undefined
  }

  /**
   * What became of the batch without a reply: `published`, the stream has it, or its ends from memory; or `to be read`,
   * BullMQ has its entries and the relay reads them again.
   */
  settle (outcome: 'published' | 'to be read'): void {
    const ends = this.unconfirmed?.ends ?? []
    this.#unconfirmed = undefined
    if (outcome === 'published') this.#noLongerDoubtful(ends)
    else for (const end of ends) this.#doubtful.add(endKey(end))
  }

  /** Whether an end was in a batch without a reply, which is read again: a reader may have got it before. */
  mayRepeat (event: JobEvent): boolean {
    return this.#doubtful.size > 0 && isEnd(event.type) && this.#doubtful.has(endKey(event))
  }

  /** Forgets everything if another process has relayed the queue beyond what this one has. */
  forgetIfRelayed ({ at }: RelayPosition): void {
    if (!isNewer(eventIdOf(at), this.#relayedTo)) return
    for (const key of this.#ends.keys()) this.#remove(key)
    this.#unconfirmed = undefined
    this.#doubtful.clear()
  }

  #noLongerDoubtful (events: readonly JobEvent[]): void {
    if (this.#doubtful.size === 0) return
    for (const event of events) this.#doubtful.delete(endKey(event))
  }

  /** The newest of the ends, in place of a former one of the same job. */
  #put (event: JobEvent, firstId: RecentEnd['firstId'], id: EventId): void {
    const [key, bytes] = [keyOf(event), sizeOf(event)]
    this.#remove(key)
    this.#ends.set(key, { event, firstId, id, notedAt: this.#newestAt, bytes })
    this.#bytes += bytes
  }

  #remove (key: string): void {
    this.#bytes -= this.#ends.get(key)?.bytes ?? 0
    this.#ends.delete(key)
  }

  /** By the time of the newest end, not by this moment: Redis may be away for long before it shows what it has lost. */
  #trim (): void {
    for (const [key, { notedAt }] of this.#ends) {
      if (this.#newestAt - notedAt < KEPT_MS && this.#ends.size <= MAX_ENDS && this.#bytes <= MAX_BYTES) return
      this.#remove(key)
    }
  }
}

function changesEnd (event: JobEvent): boolean {
  return isEnd(event.type) || event.type === 'added' || event.reopened === true
}

function keyOf ({ jobId, generation = '' }: JobEvent): string {
  return `${generation} ${jobId}`
}

/** Roughly the bytes that the event takes in memory. */
function sizeOf ({ result, error }: JobEvent): number {
  return 500 + 2 * ((result?.length ?? 0) + (error?.length ?? 0))
}
