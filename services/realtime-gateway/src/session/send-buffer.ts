import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame } from './frame.ts'
import type { Transport } from './transport.ts'

const CHECK_MS = 100
/** Memory of a buffered frame besides its payload: measured. */
const FRAME_BYTES = 250
const DRAIN_CHECK_MS = 10

export type SendBufferLimits = { unsentBytes: number, unsentPackets: number, slowMs: number }

/** The session of a send buffer. */
export type SendBufferListener = {
  /** A buffered progress event was dropped because newer progress of the same job followed. */
  progressDropped: () => void
  /** The client did not read what was sent. */
  tooSlow: () => void
}

/** What a transport that was full has not taken yet. */
type Backlog = {
  /** A map keeps the order of insertion: newer progress goes to the end. */
  frames: Map<string | symbol, Frame>
  bytes: number
  fullSince: number
  timer: NodeJS.Timeout
}

/**
 * Stands between a session and a transport that may not keep up. Frames that a full transport can't take wait here, in
 * order; of a job's progress only the newest waits (conflation). A client is slow when its transport stays full for
 * `slowMs`, or when as many bytes wait here as make a transport full.
 */
export class SendBuffer {
  readonly #transport: Transport
  readonly #limits: SendBufferLimits
  readonly #listener: SendBufferListener
  #backlog: Backlog | undefined
  #closed = false
  #checkScheduled = false

  constructor (transport: Transport, limits: SendBufferLimits, listener: SendBufferListener) {
    this.#transport = transport
    this.#limits = limits
    this.#listener = listener
  }

  /** Sends a frame. A later frame of the same `topic` replaces it while it waits. */
  write (frame: Frame, topic?: string): void {
    if (this.#closed) return
    if (this.#backlog) this.#keep(this.#backlog, frame, topic)
    else if (this.#isFull(1)) this.#keep(this.#startBacklog(), frame, topic)
    else this.#transport.write(frame)
  }

  /** Resolves once the transport takes more. A sender of many frames paces itself with this. */
  async drained (): Promise<void> {
    for (const since = Date.now(); !this.#closed && this.#isFull(0.5); await sleep(DRAIN_CHECK_MS)) {
      if (Date.now() - since > this.#limits.slowMs) return this.#listener.tooSlow()
    }
  }

  /** Whether a sender of many frames should wait for `drained` first. */
  get isFull (): boolean {
    return this.#isFull(0.5)
  }

  /** Call after writing to the transport directly (acks). Above twice the limit the client counts as slow. */
  checkAfterDirectWrite (): void {
    if (this.#closed || this.#checkScheduled || !this.#isFull(2)) return
    this.#checkScheduled = true
    setImmediate(() => { // packets of this tick alone leave in the next one
      this.#checkScheduled = false
      if (!this.#closed && this.#isFull(2)) this.#listener.tooSlow()
    })
  }

  close (): void {
    this.#closed = true
    this.#endBacklog()
  }

  #keep (backlog: Backlog, frame: Frame, topic: string | undefined) {
    const superseded = topic === undefined ? undefined : backlog.frames.get(topic)
    if (superseded) {
      remove(backlog, topic as string, superseded)
      this.#listener.progressDropped()
    }
    backlog.frames.set(topic ?? Symbol('frame'), frame.bare())
    backlog.bytes += weightOf(frame)
    if (backlog.bytes > this.#limits.unsentBytes) this.#listener.tooSlow()
  }

  // A transport that was filled in this tick alone takes more in the next one.
  #startBacklog (): Backlog {
    const timer = setInterval(() => this.#check(), CHECK_MS)
    setImmediate(() => this.#check())
    return (this.#backlog = { frames: new Map(), bytes: 0, fullSince: Date.now(), timer })
  }

  #endBacklog () {
    clearInterval(this.#backlog?.timer)
    this.#backlog = undefined
  }

  #check () {
    const backlog = this.#backlog
    if (!backlog) return
    if (this.#isFull(0.5)) {
      if (Date.now() - backlog.fullSince > this.#limits.slowMs) this.#listener.tooSlow()
      return
    }
    backlog.fullSince = Date.now()
    for (const [key, frame] of backlog.frames) {
      if (this.#isFull(1)) return
      this.#transport.write(frame)
      remove(backlog, key, frame)
    }
    this.#endBacklog()
  }

  #isFull (share: number): boolean {
    const { unsentBytes, unsentPackets } = this.#limits
    return this.#transport.unsentBytes > unsentBytes * share || this.#transport.unsentPackets > unsentPackets * share
  }
}

function remove (backlog: Backlog, key: string | symbol, frame: Frame) {
  backlog.frames.delete(key)
  backlog.bytes -= weightOf(frame)
}

/** V8 stores a string with one byte per character, or with two as soon as one character needs it. */
function weightOf ({ json }: Frame): number {
  const isAscii = Buffer.byteLength(json) === json.length
  return FRAME_BYTES + json.length * (isAscii ? 1 : 2)
}
