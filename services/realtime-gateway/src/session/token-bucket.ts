/** Allows so many per second, and a burst: by default of two seconds. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #refilledAt = Date.now()

  constructor (perSecond: number, burst = perSecond * 2) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** Takes a token; false if there is none. */
  take (now = Date.now()): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Milliseconds until the next token. */
  waitMs (now = Date.now()): number {
    this.#refill(now)
    return Math.ceil(Math.max(0, 1 - this.#tokens) / this.#perSecond * 1000)
  }

  /** Whether it holds its whole burst, as a new one would. */
  isFull (now = Date.now()): boolean {
    this.#refill(now)
    return this.#tokens >= this.#burst
  }

  #refill (now: number) {
    const refill = Math.max(0, now - this.#refilledAt) / 1000 * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + refill)
    this.#refilledAt = now
  }
}
