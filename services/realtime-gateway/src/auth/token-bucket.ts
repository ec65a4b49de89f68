/** Lets through so many a second, and twice as many at once. */
export class TokenBucket {
  readonly #perSecond: number
  #tokens: number
  #at = Date.now()

  constructor (perSecond: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond * 2
  }

  /** Takes a token; false where there is none. */
  take (now = Date.now()): boolean {
    const earned = Math.max(0, now - this.#at) / 1000 * this.#perSecond
    this.#tokens = Math.min(this.#perSecond * 2, this.#tokens + earned)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
