import { formatEventId, isNewer, ZERO, type EventId } from './event-id.ts'

type Entry = { id: EventId, repeats?: EventId | undefined }

/**
 * What a reader of the stream has read of the ends that are repeated under other ids. After a loss of data in Redis
 * the stream continues with such repetitions; those of other relays may follow later, between new events. A reader has
 * read the first publication of an end that lies at or below its position before the first of these repetitions.
 *
 * Kept in memory: a new reader goes by its position. It holds an id for each repeated end of the last loss.
 */
export class Repetitions {
  /** The position before the first repetition of the last loss, and the id of that. */
  #loss: { readUpTo: EventId, continuedAt: EventId } | undefined
  readonly #read = new Set<string>()

  /** To be called with each batch, of all owners, before its entries; `from` is the position before it. */
  begin (entries: readonly Entry[], from: EventId): void {
    for (const [i, { id, repeats }] of entries.entries()) {
      if (!repeats || (this.#loss && isNewer(this.#loss.continuedAt, repeats))) continue
      this.#loss = { readUpTo: entries[i - 1]?.id ?? from, continuedAt: id }
      this.#read.clear()
    }
  }

  /** Whether the end with this first id was read since, under that id or another. */
  wasRepeated (firstId: EventId): boolean {
    return this.#read.has(formatEventId(firstId))
  }

  /** Whether the end with this first id was not read: neither before the loss nor since. */
  isUnread (firstId: EventId): boolean {
    return isNewer(firstId, this.#loss?.readUpTo ?? ZERO) && !this.wasRepeated(firstId)
  }

  /** The end with this first id has been read now. */
  note (firstId: EventId): void {
    this.#read.add(formatEventId(firstId))
  }
}
