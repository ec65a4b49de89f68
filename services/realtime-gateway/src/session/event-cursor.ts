import { formatEventId, isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Message } from './message.ts'

export type BufferLimits = { events: number, bytes: number }

/** What all cursors share. */
export type CursorOptions = {
  /** The position of the stream tail, and what it knows of an end that may have been published before. */
  tail: { readonly position: EventId, identify: (message: Message) => void }
  bufferLimits: BufferLimits
}

/**
 * The position of a client in its user's events: of a session, or of a job that it subscribes to. An event at or below
 * the position is never delivered, so nothing is doubled or out of order, no matter where it comes from.
 *
 * A cursor starts by buffering: live events of the stream tail wait until the client has received all events up to
 * `bufferedSince`.
 */
export class EventCursor {
  readonly #options: CursorOptions
  readonly #onMessage: (message: Message) => void
  position: EventId = ZERO
  /** All events after this one were delivered here. */
  completeFrom: EventId = ZERO
  /** The position that the client named: it has what came before, or knows that it missed some of it. */
  receivedUpTo: EventId = ZERO
  /** Ends that were delivered while it buffers, by their first ids: as many as a history holds. */
  #ends: Set<string> | undefined
  #buffered: Message[] | undefined
  #bufferedBytes = 0
  #bufferedSince: EventId = ZERO
  #overflowed = false

  constructor (options: CursorOptions, onMessage: (message: Message) => void) {
    this.#options = options
    this.#onMessage = onMessage
    this.startBuffering()
  }

  /** From this tick on, live events wait. Events that waited before are dropped. */
  startBuffering (): void {
    this.#buffered = []
    this.#bufferedBytes = 0
    this.#bufferedSince = this.#options.tail.position
    this.#overflowed = false
  }

  /** The position of the stream tail when buffering started: buffered events lie above. */
  get bufferedSince (): EventId {
    return this.#bufferedSince
  }

  /** More events came than may wait, and all were dropped: the history has them too. */
  get overflowed (): boolean {
    return this.#overflowed
  }

  /** Whether the client has the same end of a job already, under its first id. */
  hasDelivered ({ repeats, isUnread }: Message): boolean {
    if (repeats === undefined) return false
    return !isNewer(repeats, this.receivedUpTo) || (!isUnread && isNewer(repeats, this.completeFrom))
  }

  /** Delivers an event of a history. An end that Redis has lost is not in it, but what repeats that may be. */
  deliverMissed (message: Message): void {
    this.#options.tail.identify(message)
    const { repeats } = message
    message.isUnread = repeats !== undefined && !this.#ends?.has(formatEventId(repeats))
    if (message.isEnd) (this.#ends ??= new Set()).add(formatEventId(repeats ?? message.id))
    this.deliver(message)
  }

  /** Delivers the buffered events, and is live from the same tick on. */
  flush (): void {
    const buffered = this.#buffered ?? []
    this.#buffered = this.#ends = undefined
    for (const message of buffered) this.take(message)
  }

  /** Delivers the buffered events up to one event, and goes on buffering the others. */
  flushUpTo (end: EventId): void {
    const buffered = this.#buffered ?? []
    const next = buffered.findIndex(({ id }) => isNewer(id, end))
    for (const message of buffered.splice(0, next === -1 ? buffered.length : next)) {
      if (isNewer(message.id, this.position)) this.deliver(message)
    }
  }

  /** Takes a live event: buffers it, or delivers it unless it is at or below the position. */
  take (message: Message): void {
    if (this.#buffered) this.#buffer(this.#buffered, message)
    else if (isNewer(message.id, this.position)) this.deliver(message)
  }

  /** Delivers an event and moves to it. */
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
