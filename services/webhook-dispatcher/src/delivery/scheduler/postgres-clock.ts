/**
 * The time of day by the clock of Postgres, which decides what is due, as far
 * as it is known here: it goes on with our monotonic clock. Ours may be wrong,
 * or be set while an endpoint is left alone for a second.
 */
export class PostgresClock {
  #offset = Date.now() - performance.now()

  /** What Postgres has just said. */
  sync (now: number): void {
    this.#offset = now - performance.now()
  }

  now (): number {
    return performance.now() + this.#offset
  }
}
