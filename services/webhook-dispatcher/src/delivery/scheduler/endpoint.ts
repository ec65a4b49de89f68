import type { Durations } from '../../egress/outcome.ts'
import { LatencyAverage } from './latency-average.ts'
import type { OrderedRun } from './ordered-run.ts'
import { Slowness } from './slowness.ts'
import { PostgresClock } from './postgres-clock.ts'
import type { Attempt, Target } from '../attempt/task.ts'

/**
 * The first concurrency of an endpoint. Each success adds one, up to the cap: an endpoint that hangs never holds many
 * slots.
 */
export const INITIAL_CONCURRENCY = 2
/**
 * Failures in a row after which the circuit may open, and after which an endpoint is only probed. An endpoint that
 * hangs
 * takes a deadline for each: the end of a job within 30 deadlines is still delivered at once, not after a pause.
 */
export const TRIP_AFTER = 30

/** One webhook's endpoint as this process knows it: its concurrency, and how it answers. */
export class Endpoint {
  readonly id: number
  readonly origin: string
  readonly waiting: OrderedRun<Endpoint>[] = []
  inFlight = 0
  /**
   * Whether a batch waits for this endpoint's response before it is written. False until it has answered quickly once.
   */
  isResponsive = false
  /** Due rows wait in Postgres: new events queue up behind them. */
  hasBacklog = false
  usedAt = performance.now()
  #target: Target | undefined
  #isRemoved = false
  readonly #cap: number
  readonly #latency: LatencyAverage
  readonly #clock: PostgresClock
  /** Attempts in flight, the oldest first. */
  readonly #inProgress = new Set<{ at: number }>()
  #concurrency: number
  /** The concurrency at which it last throttled. */
  #throttledAt = Infinity
  #hasAnswered = false
  readonly #slowness = new Slowness()
  #failures = 0
  #recordedFailures = 0
  /** By the monotonic clock, as seen here; and by the clock of Postgres, as recorded there. */
  #pausedUntil = 0
  #recordedPause = 0

  constructor (
    { id, url }: Pick<Target, 'id' | 'url'>, cap: number, pace = new LatencyAverage(), clock = new PostgresClock()
  ) {
    this.id = id
    this.#latency = pace
    this.#clock = clock
    this.origin = originOf({ url })
    this.#cap = cap
    this.#concurrency = Math.min(INITIAL_CONCURRENCY, cap)
  }

  /** Whether this process knows a newer version of the webhook than this one. */
  isNewerThan ({ changed_at: changedAt }: Target): boolean {
    return changedAt < (this.#target?.changed_at ?? 0)
  }

  /**
   * Takes the webhook as it was just read. A change by its owner resets the failures seen here: it is to be tried
   * again.
   */
  update (target: Target): void {
    if (this.#target && target.changed_at > this.#target.changed_at) {
      this.#failures = 0
      this.#pausedUntil = 0
    }
    this.#target = target
  }

  /** The webhook was deleted, or has another endpoint now: no further attempt starts here. */
  stop (): void {
    this.#isRemoved = true
  }

  /** The webhook as it was last read. */
  get target (): Target | undefined {
    return this.#target
  }

  get isStopped (): boolean {
    return this.#isRemoved || (this.#target !== undefined && this.#target.status !== 'active')
  }

  /** Takes the health recorded in Postgres, which other replicas write too. */
  syncHealth ({ failures, open_until: openUntil }: Pick<Target, 'failures' | 'open_until'>): void {
    this.#recordedFailures = failures
    this.#recordedPause = openUntil
  }

  /** Records the start of an attempt; the returned function is to be called at its end. */
  beginAttempt (): () => void {
    const attempt = { at: performance.now() }
    this.#inProgress.add(attempt)
    return () => { this.#inProgress.delete(attempt) }
  }

  /** Whether an attempt has been in flight for longer than a responsive endpoint takes. */
  get isLate (): boolean {
    const [oldest] = this.#inProgress
    return oldest !== undefined && performance.now() - oldest.at > this.#latency.responsiveMs
  }

  record ({ outcome, pausedUntil }: Attempt): void {
    this.isResponsive = outcome.ok && outcome.durations.totalMs < this.#latency.responsiveMs
    this.#hasAnswered ||= outcome.ok
    if (outcome.ok) this.#recordDuration(outcome.durations)
    if (pausedUntil !== undefined) this.#pausedUntil = performance.now() + pausedUntil - Date.now()
    this.#failures = outcome.ok ? 0 : this.#failures + 1
    this.#adapt(outcome.ok, pausedUntil !== undefined)
  }

  /**
   * As TCP does: grows quickly up to half of the concurrency that was too much,
   * and slowly beyond. An endpoint with a rate limit would otherwise refuse all
   * attempts in flight after each pause, and each delivery would lose one.
   */
  #adapt (succeeded: boolean, isThrottled: boolean): void {
    const growth = this.#concurrency < this.#throttledAt / 2 ? 1 : 1 / this.#concurrency
    if (succeeded) {
      this.#concurrency = Math.min(this.#concurrency + growth, this.#cap)
      return
    }
    // Attempts that were in flight with the first refused one are refused too.
    if (isThrottled && this.#concurrency > 1) this.#throttledAt = this.#concurrency
    this.#concurrency = isThrottled ? 1 : Math.max(1, Math.floor(this.#concurrency / 2))
  }

  #recordDuration ({ totalMs, ttfbMs = totalMs }: Durations): void {
    this.#latency.add(totalMs)
    this.#slowness.add(ttfbMs)
  }

  /** Whether it takes so long for each response that a job's deliveries may lag. */
  get isSlow (): boolean {
    return this.#slowness.isSlow()
  }

  /** Attempts that failed in a row, as seen here or as recorded in Postgres. */
  get failures (): number {
    return Math.max(this.#failures, this.#recordedFailures)
  }

  /** Whether failures are recorded in Postgres, which a success must reset. */
  get wasFailing (): boolean {
    return this.#recordedFailures > 0
  }

  /** How many attempts may be in flight. */
  get concurrency (): number {
    return this.failures >= TRIP_AFTER ? 1 : Math.floor(this.#concurrency)
  }

  /** How many more runs may be claimed: up to twice the concurrency is held here, so that no slot waits for SQL. */
  get capacity (): number {
    const depth = this.failures > 0 ? this.concurrency : 2 * this.concurrency
    return Math.max(0, depth - this.inFlight - this.waiting.length)
  }

  get isFailing (): boolean {
    return this.failures > 0
  }

  /** Whether an attempt may well take the whole deadline: the endpoint fails, is late, or has never answered. */
  get isUnproven (): boolean {
    return this.isFailing || !this.#hasAnswered || this.isLate
  }

  /** No attempts for now: the endpoint asked for that, or its circuit is open. */
  get isPaused (): boolean {
    return this.#pausedUntil > performance.now() || this.#recordedPause > this.#clock.now()
  }

  /** The circuit is open or half-open: the endpoint is paused, or only probed. */
  get isCircuitOpen (): boolean {
    return this.isPaused || this.failures >= TRIP_AFTER
  }

  /** Whether a first attempt may be made at once, before the delivery has a row. */
  get canTryInline (): boolean {
    return !this.hasBacklog && !this.isCircuitOpen
  }
}

/** The origin that an endpoint's connections go to. */
export function originOf ({ url }: Pick<Target, 'url'>): string {
  return URL.parse(url)?.origin ?? url
}
