/** An endpoint that answers within this time keeps up with the progress of any job. */
const SLOW_MS = 50
/**
 * An endpoint is slow after MANY slow responses in a row, or after FEW that took LONG_MS together, over at least
 * SPAN_MS.
 */
const MANY = 10
const FEW = 3
const LONG_MS = 3000
const SPAN_MS = 1000

/** Detects endpoints that take so long for each response that a job's deliveries lag. */
export class Slowness {
  #count = 0
  #ms = 0
  #since = 0

  /** Adds a success, by the time from the request to its status. */
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
