/** An endpoint that takes less for an answer keeps up with the progress of any job. */
const SLOW_MS = 50
/** So many slow answers in a row, or these for such a time together, over this span: a hiccup of ours is none of it. */
const MANY = 10
const FEW = 3
const LONG_MS = 3000
const SPAN_MS = 1000

/** Whether an endpoint takes so long for each answer that many in a row make a job's deliveries lag. */
export class Slowness {
  #count = 0
  #ms = 0
  #since = 0

  /** A success, by the time from the request to its status. */
  add (ms: number, now = performance.now()): void {
    if (ms < SLOW_MS) {
      this.#count = 0
      return
    }
    if (this.#count === 0) {
      this.#since = now - ms
      this.#ms = 0
    }
    this.#count++
    this.#ms += ms
  }

  isSlow (now = performance.now()): boolean {
    const isConsistent = this.#count >= MANY || (this.#count >= FEW && this.#ms >= LONG_MS)
    return isConsistent && now - this.#since >= SPAN_MS
  }
}
