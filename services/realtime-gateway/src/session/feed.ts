import { isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Message } from './message.ts'

export type HoldBounds = { events: number, bytes: number }

/** What all feeds share. */
export type FeedOptions = {
  /** How far the tail is. */
  tail: { readonly position: EventId }
  held: HoldBounds
}

/**
 * A client's way through its user's events: of a session, or of a job that it
 * subscribes to. The position is the heart of it: an event at or below it is
 * never told, so that nothing is doubled or out of order, whoever hands it in.
 *
 * A feed begins by holding: what the tail hands in waits, until the client was
 * told all up to `heldFrom`.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #tell: (message: Message) => void
  position: EventId = ZERO
  /** All that came after this was told here. */
  completeFrom: EventId = ZERO
  #held: Message[] | undefined
  #heldBytes = 0
  #heldFrom: EventId = ZERO
  #overflowed = false

  constructor (options: FeedOptions, tell: (message: Message) => void) {
    this.#options = options
    this.#tell = tell
    this.hold()
  }

  /** From this turn on, what the tail hands in waits. What waited before is let go. */
  hold (): void {
    this.#held = []
    this.#heldBytes = 0
    this.#heldFrom = this.#options.tail.position
    this.#overflowed = false
  }

  /** Where the tail stood when holding began: what is held lies above. */
  get heldFrom (): EventId {
    return this.#heldFrom
  }

  get isHolding (): boolean {
    return this.#held !== undefined
  }

  /** More came than may wait, and all was let go: the history has it too. */
  get overflowed (): boolean {
    return this.#overflowed
  }

  /** Whether this feed has told the same end already, under the id that it had first. */
  hasTold ({ repeats }: Message): boolean {
    return repeats !== undefined && isNewer(repeats, this.completeFrom)
  }

  /** Tells what waits, and is live in the same turn. */
  release (): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const message of held) this.take(message)
  }

  /** Tells what waits up to an event, and goes on holding the rest. */
  releaseUpTo (end: EventId): void {
    const held = this.#held ?? []
    const next = held.findIndex(({ id }) => isNewer(id, end))
    for (const message of held.splice(0, next === -1 ? held.length : next)) {
      if (isNewer(message.id, this.position)) this.tell(message)
    }
  }

  /** Takes an event of the tail. */
  take (message: Message): void {
    if (this.#held) this.#wait(this.#held, message)
    else if (isNewer(message.id, this.position)) this.tell(message)
  }

  /** Tells an event and moves to it. */
  tell (message: Message): void {
    this.position = message.id
    this.#tell(message)
  }

  #wait (held: Message[], message: Message) {
    if (this.#overflowed) return
    held.push(message)
    this.#heldBytes += message.owner.json.length
    const { events, bytes } = this.#options.held
    if (held.length <= events && this.#heldBytes <= bytes) return
    held.length = 0
    this.#overflowed = true
  }
}
