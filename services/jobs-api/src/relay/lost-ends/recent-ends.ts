import { isEnd, type JobEvent } from '@tidings/contracts'
import { ZERO, type EventId } from '@tidings/job-events'

/** Redis with `appendfsync everysec` may lose the last second or two; a late write of its log takes longer. */
const KEPT_MS = 10_000
/** If either limit is reached the oldest ends are dropped. */
const MAX_ENDS = 20_000
const MAX_BYTES = 16 * 1024 * 1024

export type RecentEnd = {
  event: JobEvent
  /** The id under which it was published first. */
  firstId: EventId
  /** Where it is in the stream: another id once it was published again. */
  id: EventId
  notedAt: number
  bytes: number
}

/**
 * The ends that this process published for a queue within the last seconds. When Redis loses its newest writes, it
 * loses them in one piece: the relay finds these ends missing and publishes them again, with a reference to their first
 * id.
 */
export class RecentEnds {
  /** The newest id that this process published: the stream continues above it, even if Redis has lost it. */
  lastId: EventId = ZERO
  readonly #ends = new Map<string, RecentEnd>()
  #bytes = 0

  /** Notes the appended events with their ids; the id of a dropped event is undefined. */
  note (events: readonly JobEvent[], last: EventId, ids: () => (EventId | undefined)[]): void {
    this.lastId = last
    const now = performance.now()
    let published: (EventId | undefined)[] | undefined
    events.forEach((event, i) => {
      if (!changesEnd(event)) return
      published ??= ids()
      const id = published[i]
      if (id === undefined) return
      this.#remove(keyOf(event)) // a reopened job has not ended
      if (isEnd(event.type)) this.#add({ event, firstId: id, id, notedAt: now, bytes: sizeOf(event) })
    })
    this.#trim(now)
  }

  /** The recent ends, oldest first. */
  all (): RecentEnd[] {
    this.#trim(performance.now())
    return [...this.#ends.values()]
  }

  #add (end: RecentEnd): void {
    this.#ends.set(keyOf(end.event), end)
    this.#bytes += end.bytes
  }

  #remove (key: string): void {
    this.#bytes -= this.#ends.get(key)?.bytes ?? 0
    this.#ends.delete(key)
  }

  #trim (now: number): void {
    for (const [key, { notedAt }] of this.#ends) {
      if (now - notedAt < KEPT_MS && this.#ends.size <= MAX_ENDS && this.#bytes <= MAX_BYTES) return
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
