import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame } from './frame.ts'
import type { Wire } from './wire.ts'

const CHECK_MS = 100
/** What a frame that waits weighs beside its payload: measured. */
const FRAME_BYTES = 250
const DRAIN_CHECK_MS = 10

export type OutletBounds = { unsentBytes: number, unsentPackets: number, slowMs: number }

/** Whose outlet it is. */
export type OutletOwner = {
  /** A newer progress has overtaken one before it was sent. */
  spared: () => void
  /** The client did not take what waits for it. */
  slow: () => void
}

type Waiting = Map<string | symbol, Frame>

/**
 * Stands between a session and a wire that may not keep up. What a full wire
 * can't take waits here, in order; of a job's progress only the newest does.
 * A client is slow when its wire stays full for `slowMs`, or when as many bytes
 * wait here as on a full wire.
 */
export class Outlet {
  readonly #wire: Wire
  readonly #bounds: OutletBounds
  readonly #owner: OutletOwner
  // A map keeps the order of insertion: progress that supersedes goes to the end. Idle sessions have none.
  #waiting: Waiting | undefined
  #waitingBytes = 0
  #fullSince = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #looking = false

  constructor (wire: Wire, bounds: OutletBounds, owner: OutletOwner) {
    this.#wire = wire
    this.#bounds = bounds
    this.#owner = owner
  }

  /** Sends a frame. `topic` names what a later frame of the same topic supersedes. */
  write (frame: Frame, topic?: string): void {
    if (this.#closed) return
    if (this.#waiting) this.#keep(this.#waiting, frame, topic)
    else if (this.#isFull(1)) this.#keep(this.#beginWaiting(), frame, topic)
    else this.#wire.write(frame)
  }

  /** Waits until the wire takes more: whoever sends much paces itself by this. */
  async drained (): Promise<void> {
    for (const since = Date.now(); !this.#closed && this.#isFull(0.5); await sleep(DRAIN_CHECK_MS)) {
      if (Date.now() - since > this.#bounds.slowMs) return this.#owner.slow()
    }
  }

  /** Whether a sender of much should wait for `drained` first. */
  get isFull (): boolean {
    return this.#isFull(0.5)
  }

  /** To be called after something went to the wire past this outlet: what is twice too much then is too much. */
  passed (): void {
    if (this.#closed || this.#looking || !this.#isFull(2)) return
    this.#looking = true
    setImmediate(() => { // what only this turn has filled leaves in the next one
      this.#looking = false
      if (!this.#closed && this.#isFull(2)) this.#owner.slow()
    })
  }

  close (): void {
    this.#closed = true
    this.#waiting = undefined
    clearInterval(this.#timer)
  }

  #keep (waiting: Waiting, frame: Frame, topic: string | undefined) {
    const superseded = topic === undefined ? undefined : waiting.get(topic)
    if (superseded) {
      this.#drop(waiting, topic as string, superseded)
      this.#owner.spared()
    }
    waiting.set(topic ?? Symbol('frame'), frame.bare())
    this.#waitingBytes += weightOf(frame)
    if (this.#waitingBytes > this.#bounds.unsentBytes) this.#owner.slow()
  }

  // A wire that only this turn has filled takes more in the next one.
  #beginWaiting (): Waiting {
    this.#fullSince = Date.now()
    this.#timer = setInterval(() => this.#check(), CHECK_MS)
    setImmediate(() => this.#check())
    return (this.#waiting = new Map())
  }

  #check () {
    if (!this.#waiting) return
    if (this.#isFull(0.5)) {
      if (Date.now() - this.#fullSince > this.#bounds.slowMs) this.#owner.slow()
      return
    }
    this.#fullSince = Date.now()
    for (const [key, frame] of this.#waiting) {
      if (this.#isFull(1)) return
      this.#wire.write(frame)
      this.#drop(this.#waiting, key, frame)
    }
    this.#waiting = undefined
    clearInterval(this.#timer)
  }

  #drop (waiting: Waiting, key: string | symbol, frame: Frame) {
    waiting.delete(key)
    this.#waitingBytes -= weightOf(frame)
  }

  #isFull (share: number): boolean {
    const { unsentBytes, unsentPackets } = this.#bounds
    return this.#wire.unsentBytes > unsentBytes * share || this.#wire.unsentPackets > unsentPackets * share
  }
}

/** V8 keeps a string at one byte a character, or at two as soon as one of them needs it. */
function weightOf ({ json }: Frame): number {
  const isAscii = Buffer.byteLength(json) === json.length
  return FRAME_BYTES + json.length * (isAscii ? 1 : 2)
}
