/**
 * The first concurrency of an endpoint. Each success adds one, up to the cap: an endpoint that hangs never holds many
 * slots.
 */
export const INITIAL_CONCURRENCY = 2

/**
 * How many attempts may be in flight at an endpoint. As TCP does: grows quickly up to half of the concurrency that was
 * too much, and slowly beyond. An endpoint with a rate limit would otherwise refuse all attempts in flight after each
 * pause, and each delivery would lose one.
 */
export class ConcurrencyWindow {
  readonly #cap: number
  #size: number
  /** The size at which the endpoint last throttled. */
  #throttledAt = Infinity

  constructor (cap: number) {
    this.#cap = cap
    this.#size = Math.min(INITIAL_CONCURRENCY, cap)
  }

  get size (): number {
    return Math.floor(this.#size)
  }

  record (result: 'succeeded' | 'failed' | 'throttled'): void {
    switch (result) {
      case 'succeeded':
        this.#size = Math.min(this.#size + (this.#size < this.#throttledAt / 2 ? 1 : 1 / this.#size), this.#cap)
        break
      case 'failed':
        this.#size = Math.max(1, Math.floor(this.#size / 2))
        break
      case 'throttled':
        // Attempts that were in flight with the first refused one are refused too.
        if (this.#size > 1) this.#throttledAt = this.#size
        this.#size = 1
        break
      default: result satisfies never
    }
  }
}
