/**
 * An estimate of the clock of Postgres, which decides what is due. Between two
 * readings it follows our monotonic clock: our time of day may be wrong, or be
 * set while an endpoint is paused.
 */
export class PostgresClock {
  #offset = Date.now() - performance.now()

  /** Takes the time that Postgres has just returned. */
  sync (now: number): void {
    this.#offset = now - performance.now()
  }

  now (): number {
    return performance.now() + this.#offset
  }
}
