import type { Writable } from 'node:stream'
import { atEndOfTick } from '../session/end-of-tick.ts'

/** Corks a stream from its first frame of a tick to the end of the tick, so that all frames of a tick are one write. */
export class TickCork {
  readonly #stream: Writable
  readonly #uncork = () => this.uncork()
  #isCorked = false

  constructor (stream: Writable) {
    this.#stream = stream
  }

  cork (): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#stream.cork()
    atEndOfTick(this.#uncork)
  }

  uncork (): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#stream.uncork()
  }
}
