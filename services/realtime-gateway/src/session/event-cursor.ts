import { isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Message } from './message.ts'

export type BufferLimits = { events: number, bytes: number }

/** What all feeds share. */
export type CursorOptions = {
  /** How far the tail is. */
  tail: { readonly position: EventId }
  bufferLimits: BufferLimits
}

/**
 * A client's way through its user's events: of a session, or of a job that it
 * subscribes to. The position is the heart of it: an event at or below it is
 * never told, so that nothing is doubled or out of order, whoever hands it in.
 *
 * A cursor begins by holding: what the tail hands in waits, until the client was
 * told all up to `bufferedSince`.
 */
export class EventCursor {
  readonly #options: CursorOptions
  readonly #onMessage: (message: Message) => void
  position: EventId = ZERO
  /** All that came after this was told here. */
  completeFrom: EventId = ZERO
  #buffered: Message[] | undefined
  #bufferedBytes = 0
  #bufferedSince: EventId = ZERO
  #overflowed = false

  constructor (options: CursorOptions, deliver: (message: Message) => void) {
    this.#options = options
    this.#onMessage = deliver
    this.startBuffering()
  }

  /** From this turn on, what the tail hands in waits. What waited before is let go. */
  startBuffering (): void {
    this.#buffered = []
    this.#bufferedBytes = 0
    this.#bufferedSince = this.#options.tail.position
    this.#overflowed = false
  }

  /** Where the tail stood when holding began: what is buffered lies above. */
  get bufferedSince (): EventId {
    return this.#bufferedSince
  }

  get isBuffering (): boolean {
    return this.#buffered !== undefined
  }

  /** More came than may wait, and all was let go: the history has it too. */
  get overflowed (): boolean {
    return this.#overflowed
  }

  /** Whether this cursor has told the same end already, under the id that it had first. */
  hasDelivered ({ repeats }: Message): boolean {
    return repeats !== undefined && isNewer(repeats, this.completeFrom)
  }

  /** Tells what waits, and is live in the same turn. */
  flush (): void {
    const buffered = this.#buffered ?? []
    this.#buffered = undefined
    for (const message of buffered) this.take(message)
  }

  /** Tells what waits up to an event, and goes on holding the rest. */
  flushUpTo (end: EventId): void {
    const buffered = this.#buffered ?? []
    const next = buffered.findIndex(({ id }) => isNewer(id, end))
    for (const message of buffered.splice(0, next === -1 ? buffered.length : next)) {
      if (isNewer(message.id, this.position)) this.deliver(message)
    }
  }

  /** Takes an event of the tail. */
  take (message: Message): void {
    if (this.#buffered) this.#buffer(this.#buffered, message)
    else if (isNewer(message.id, this.position)) this.deliver(message)
  }

  /** Tells an event and moves to it. */
  deliver (message: Message): void {
    this.position = message.id
    this.#onMessage(message)
  }

  #buffer (buffered: Message[], message: Message) {
    if (this.#overflowed) return
    buffered.push(message)
    this.#bufferedBytes += message.owner.json.length
    const { events, bytes } = this.#options.bufferLimits
    if (buffered.length <= events && this.#bufferedBytes <= bytes) return
    buffered.length = 0
    this.#overflowed = true
  }
}
