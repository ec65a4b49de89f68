import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame } from './frame.ts'
import type { Wire } from './wire.ts'

const CHECK_MS = 100
/** What a frame that waits weighs beside its payload, which it may share with others. */
const FRAME_BYTES = 100
const DRAIN_CHECK_MS = 10

export type OutletBounds = { unsentBytes: number, unsentPackets: number, slowMs: number }

type OutletOptions = {
  wire: Wire
  bounds: OutletBounds
  /** Told of each progress that a newer one has overtaken before it was sent. */
  onSpared: () => void
  /** The client did not take what waits for it. */
  onSlow: () => void
}

/**
 * Stands between a session and a wire that may not keep up. What a full wire
 * can't take waits here, in order; of a job's progress only the newest does.
 * A client is slow when its wire stays full for `slowMs`, or when as many bytes
 * wait here as on a full wire.
 */
export class Outlet {
  readonly #wire: Wire
  readonly #options: OutletOptions
  // A map keeps the order of insertion: progress that supersedes goes to the end.
  readonly #waiting = new Map<string | symbol, Frame>()
  #waitingBytes = 0
  #fullSince = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor (options: OutletOptions) {
    this.#wire = options.wire
    this.#options = options
  }

  /** Sends a frame. `topic` names what a later frame of the same topic supersedes. */
  write (frame: Frame, topic?: string): void {
    if (this.#closed) return
    if (this.#waiting.size === 0 && !this.#isFull(1)) this.#wire.write(frame)
    else this.#keep(frame, topic)
  }

  /** Waits until the wire takes more: whoever sends much paces itself by this. */
  async drained (): Promise<void> {
    for (const since = Date.now(); !this.#closed && this.#isFull(0.5); await sleep(DRAIN_CHECK_MS)) {
      if (Date.now() - since > this.#options.bounds.slowMs) return this.#options.onSlow()
    }
  }

  /** Whether a sender of much should wait for `drained` first. */
  get isFull (): boolean {
    return this.#isFull(0.5)
  }

  close (): void {
    this.#closed = true
    this.#waiting.clear()
    clearInterval(this.#timer)
  }

  #keep (frame: Frame, topic: string | undefined) {
    if (this.#waiting.size === 0) this.#watch()
    const superseded = topic === undefined ? undefined : this.#waiting.get(topic)
    if (superseded) {
      this.#drop(topic as string, superseded)
      this.#options.onSpared()
    }
    this.#waiting.set(topic ?? Symbol('frame'), frame)
    this.#waitingBytes += FRAME_BYTES + frame.json.length
    if (this.#waitingBytes > this.#options.bounds.unsentBytes) this.#options.onSlow()
  }

  // A wire that only this turn has filled takes more in the next one.
  #watch () {
    this.#fullSince = Date.now()
    this.#timer = setInterval(() => this.#check(), CHECK_MS)
    setImmediate(() => this.#check())
  }

  #check () {
    if (this.#closed) return
    if (this.#isFull(0.5)) {
      if (Date.now() - this.#fullSince > this.#options.bounds.slowMs) this.#options.onSlow()
      return
    }
    this.#fullSince = Date.now()
    for (const [key, frame] of this.#waiting) {
      if (this.#isFull(1)) return
      this.#wire.write(frame)
      this.#drop(key, frame)
    }
    clearInterval(this.#timer)
  }

  #drop (key: string | symbol, frame: Frame) {
    this.#waiting.delete(key)
    this.#waitingBytes -= FRAME_BYTES + frame.json.length
  }

  #isFull (share: number): boolean {
    const { unsentBytes, unsentPackets } = this.#options.bounds
    return this.#wire.unsentBytes > unsentBytes * share || this.#wire.unsentPackets > unsentPackets * share
  }
}
