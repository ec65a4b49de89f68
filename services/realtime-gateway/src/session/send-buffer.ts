import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame } from './frame.ts'
import type { Transport } from './transport.ts'

const CHECK_MS = 100
/** What a frame that waits weighs beside its payload: measured. */
const FRAME_BYTES = 250
const DRAIN_CHECK_MS = 10

export type SendBufferLimits = { unsentBytes: number, unsentPackets: number, slowMs: number }

/** Whose outlet it is. */
export type SendBufferListener = {
  /** A newer progress has overtaken one before it was sent. */
  progressDropped: () => void
  /** The client did not take what waits for it. */
  tooSlow: () => void
}

type Waiting = Map<string | symbol, Frame>

/**
 * Stands between a session and a transport that may not keep up. What a full transport
 * can't take waits here, in order; of a job's progress only the newest does.
 * A client is slow when its transport stays full for `slowMs`, or when as many bytes
 * wait here as on a full transport.
 */
export class SendBuffer {
  readonly #transport: Transport
  readonly #limits: SendBufferLimits
  readonly #listener: SendBufferListener
  // A map keeps the order of insertion: progress that supersedes goes to the end. Idle sessions have none.
  #waiting: Waiting | undefined
  #waitingBytes = 0
  #fullSince = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #checkScheduled = false

  constructor (transport: Transport, bounds: SendBufferLimits, owner: SendBufferListener) {
    this.#transport = transport
    this.#limits = bounds
    this.#listener = owner
  }

  /** Sends a frame. `topic` names what a later frame of the same topic supersedes. */
  write (frame: Frame, topic?: string): void {
    if (this.#closed) return
    if (this.#waiting) this.#keep(this.#waiting, frame, topic)
    else if (this.#isFull(1)) this.#keep(this.#beginWaiting(), frame, topic)
    else this.#transport.write(frame)
  }

  /** Waits until the transport takes more: whoever sends much paces itself by this. */
  async drained (): Promise<void> {
    for (const since = Date.now(); !this.#closed && this.#isFull(0.5); await sleep(DRAIN_CHECK_MS)) {
      if (Date.now() - since > this.#limits.slowMs) return this.#listener.tooSlow()
    }
  }

  /** Whether a sender of much should wait for `drained` first. */
  get isFull (): boolean {
    return this.#isFull(0.5)
  }

  /** To be called after something went to the transport past this outlet: what is twice too much then is too much. */
  checkAfterDirectWrite (): void {
    if (this.#closed || this.#checkScheduled || !this.#isFull(2)) return
    this.#checkScheduled = true
    setImmediate(() => { // what only this turn has filled leaves in the next one
      this.#checkScheduled = false
      if (!this.#closed && this.#isFull(2)) this.#listener.tooSlow()
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
      this.#listener.progressDropped()
    }
    waiting.set(topic ?? Symbol('frame'), frame.bare())
    this.#waitingBytes += weightOf(frame)
    if (this.#waitingBytes > this.#limits.unsentBytes) this.#listener.tooSlow()
  }

  // A transport that only this turn has filled takes more in the next one.
  #beginWaiting (): Waiting {
    this.#fullSince = Date.now()
    this.#timer = setInterval(() => this.#check(), CHECK_MS)
    setImmediate(() => this.#check())
    return (this.#waiting = new Map())
  }

  #check () {
    if (!this.#waiting) return
    if (this.#isFull(0.5)) {
      if (Date.now() - this.#fullSince > this.#limits.slowMs) this.#listener.tooSlow()
      return
    }
    this.#fullSince = Date.now()
    for (const [key, frame] of this.#waiting) {
      if (this.#isFull(1)) return
      this.#transport.write(frame)
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
    const { unsentBytes, unsentPackets } = this.#limits
    return this.#transport.unsentBytes > unsentBytes * share || this.#transport.unsentPackets > unsentPackets * share
  }
}

/** V8 keeps a string at one byte a character, or at two as soon as one of them needs it. */
function weightOf ({ json }: Frame): number {
  const isAscii = Buffer.byteLength(json) === json.length
  return FRAME_BYTES + json.length * (isAscii ? 1 : 2)
}
