import type { JobEvent } from '@tidings/contracts'
import { formatEventId, isNewer, newest, ZERO, type EventId } from './event-id.ts'

/** Runs of consecutive ids that are kept, one for each batch of a relay: those of many seconds. */
const MAX_RUNS = 16_384
/** Ends that are kept by their jobs, some 200 bytes each: more than all relays have on their way to Redis at a time. */
const MAX_ENDS = 5000
/** First ids of repetitions: more than a loss has. */
const MAX_REPEATED = 50_000

/** The ids from `<ms>-<from>` to `<ms>-<to>`. */
type Run = { ms: number, from: number, to: number }

/**
 * What a reader of the stream has read lately. After a loss of data in Redis the stream continues with the ends that
 * were lost, under other ids: the reader has to know whether it has read the first publication of each. Its position
 * does not say so. New events may come before the repetition of an end, and then the position is above an end that was
 * lost before the reader came to it.
 *
 * Kept in memory: a new reader goes by the position at which it starts.
 */
export class RecentReads {
  /** All events up to here count as read. */
  #floor: EventId = ZERO
  /** The ids above that were read, in order. */
  #runs: Run[] = []
  readonly #repeated = new Set<string>()
  readonly #ends = new Map<string, EventId>()

  /** The reader starts at this position. */
  startAt (position: EventId): void {
    this.#floor = position
    this.#runs = []
  }

  /** The reader continues there after a gap, of which it has read nothing. Ids may go back where a data set is new. */
  skipTo (position: EventId): void {
    if (isNewer(this.#newest, position)) this.startAt(position)
  }

  /** An entry was read. Entries come in order; one that is read again is known. */
  note (id: EventId): void {
    const last = this.#runs.at(-1)
    if (!isNewer(id, this.#newest)) return
    if (last?.ms === id.ms && last.to + 1 === id.seq) last.to = id.seq
    else this.#runs.push({ ms: id.ms, from: id.seq, to: id.seq })
    if (this.#runs.length < 2 * MAX_RUNS) return
    const dropped = this.#runs.splice(0, MAX_RUNS).at(-1) as Run
    this.#floor = newest(this.#floor, { ms: dropped.ms, seq: dropped.to })
  }

  /** An end was read; `firstId` is the id of its first publication. */
  noteEnd (event: EndOfJob, firstId: EventId): void {
    this.#ends.set(endKey(event), firstId)
    if (this.#ends.size > MAX_ENDS) this.#ends.delete(this.#ends.keys().next().value as string)
  }

  /** The end with this first id was read under another id. */
  noteRepeated (firstId: EventId): void {
    this.#repeated.add(formatEventId(firstId))
    if (this.#repeated.size > MAX_REPEATED) this.#repeated.delete(this.#repeated.values().next().value as string)
  }

  /** The first id of the same end of the job, where that was read; of those that `noteEnd` has got. */
  firstIdOf (event: EndOfJob): EventId | undefined {
    return this.#ends.get(endKey(event))
  }

  /** Whether the end with this first id was read under another id. */
  wasRepeated (firstId: EventId): boolean {
    return this.#repeated.has(formatEventId(firstId))
  }

  /** Whether the end with this first id was not read, neither under that id nor under another. */
  isUnread (firstId: EventId): boolean {
    return !this.#has(firstId) && !this.wasRepeated(firstId)
  }

  #has (id: EventId): boolean {
    if (!isNewer(id, this.#floor)) return true
    let [start, end] = [0, this.#runs.length]
    while (start < end) {
      const middle = (start + end) >> 1
      const { ms, from, to } = this.#runs[middle] as Run
      if (id.ms > ms || (id.ms === ms && id.seq > to)) start = middle + 1
      else if (id.ms < ms || id.seq < from) end = middle
      else return true
    }
    return false
  }

  get #newest (): EventId {
    const last = this.#runs.at(-1)
    return last ? { ms: last.ms, seq: last.to } : this.#floor
  }
}

/** What makes two events the same end of a job: the time is that of BullMQ's entry, in milliseconds. */
type EndOfJob = Pick<JobEvent, 'queue' | 'jobId' | 'timestamp'>

/** Identifies an end of a job where its id is not known. A queue's name holds no colon. */
export function endKey ({ queue, jobId, timestamp }: EndOfJob): string {
  return `${queue}:${timestamp}:${jobId}`
}
