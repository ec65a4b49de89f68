/** Lets through so many a second, and twice as many at once unless it is given a burst of its own. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at = Date.now()

  constructor (perSecond: number, burst = perSecond * 2) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** Takes a token; false where there is none. */
  take (now = Date.now()): boolean {
    this.#earn(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** How long it takes until there is a token, milliseconds. */
  waitMs (now = Date.now()): number {
    this.#earn(now)
    return Math.ceil(Math.max(0, 1 - this.#tokens) / this.#perSecond * 1000)
  }

  /** Whether it has all that it can have: one made anew would be the same. */
  isFull (now = Date.now()): boolean {
    this.#earn(now)
    return this.#tokens >= this.#burst
  }

  #earn (now: number) {
    const earned = Math.max(0, now - this.#at) / 1000 * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
    this.#at = now
  }
}
