import type { CircuitState } from '@tidings/contracts'
import type { Target } from '../attempt/task.ts'
import type { PostgresClock } from './postgres-clock.ts'

/**
 * Failures in a row after which the circuit may open, and after which an endpoint is only probed. An endpoint that
 * hangs takes a deadline for each: the end of a job within 30 deadlines is still delivered at once, not after a pause.
 */
export const TRIP_AFTER = 30

/**
 * - `closed`: the last attempt succeeded, or there was none.
 * - `failing`: the last attempts failed, fewer than `TRIP_AFTER`.
 * - `throttled`: the endpoint asked for a pause. No attempts.
 * - `open`: `TRIP_AFTER` attempts failed in a row. No attempts.
 * - `half-open`: its pause is over. One attempt at a time, as a probe.
 */
export function circuitState (failures: number, isPaused: boolean): CircuitState {
  const isTripped = failures >= TRIP_AFTER
  if (isPaused) return isTripped ? 'open' : 'throttled'
  if (isTripped) return 'half-open'
  return failures > 0 ? 'failing' : 'closed'
}

/** An endpoint's failures in a row and its pause, as seen here or as recorded in Postgres by all replicas. */
export class EndpointCircuit {
  #failures = 0
  #recordedFailures = 0
  /** By the monotonic clock, as seen here; and by the clock of Postgres, as recorded there. */
  #pausedUntil = 0
  #recordedPause = 0
  readonly #clock: PostgresClock

  constructor (clock: PostgresClock) {
    this.#clock = clock
  }

  get state (): CircuitState {
    return circuitState(this.failures, this.#isPaused)
  }

  /** Read for every event: no clock is read where no pause was ever set. */
  get #isPaused (): boolean {
    return (this.#pausedUntil > 0 && this.#pausedUntil > performance.now()) ||
      (this.#recordedPause > 0 && this.#recordedPause > this.#clock.now())
  }

  /** Attempts that failed in a row. */
  get failures (): number {
    return Math.max(this.#failures, this.#recordedFailures)
  }

  /** Whether failures are recorded in Postgres, which a success must reset. */
  get wasFailing (): boolean {
    return this.#recordedFailures > 0
  }

  /**
   * Takes the health recorded in Postgres, which other replicas write too: the success of one ends the failures that
   * were recorded by all.
   */
  sync ({ failures, open_until: openUntil }: Pick<Target, 'failures' | 'open_until'>): void {
    if (failures === 0 && this.#recordedFailures > 0) this.#failures = 0
    this.#recordedFailures = failures
    this.#recordedPause = openUntil
  }

  /** `pausedUntil`: the endpoint asks for no attempts before this moment. */
  record (succeeded: boolean, pausedUntil: number | undefined): void {
    this.#failures = succeeded ? 0 : this.#failures + 1
    if (pausedUntil !== undefined) this.#pausedUntil = performance.now() + pausedUntil - Date.now()
  }

  /** Forgets what was seen here: the endpoint is to be tried again. */
  reset (): void {
    this.#failures = 0
    this.#pausedUntil = 0
  }
}
