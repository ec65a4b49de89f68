import type { Durations } from '../../egress/outcome.ts'
import { LatencyAverage } from './latency-average.ts'
import type { OrderedRun } from './ordered-run.ts'
import { Slowness } from './slowness.ts'
import { PostgresClock } from './postgres-clock.ts'
import type { Attempt, Target } from '../attempt/task.ts'

/** An endpoint is given this much at first, and one more for each success, up to its cap: one that hangs never holds many slots. */
export const INITIAL_CONCURRENCY = 2
/**
 * Failures in a row after which the breaker may open, and after which an endpoint is only probed. One that hangs takes a
 * deadline for each: a job that ends within 30 of them is still told of its end at once, not after a pause.
 */
export const TRIP_AFTER = 30

/** What this process knows of one webhook's endpoint: how much it may be given, and how it answers. */
export class Endpoint {
  readonly id: number
  readonly origin: string
  readonly waiting: OrderedRun<Endpoint>[] = []
  inFlight = 0
  /** Whether a batch is kept open for its answers before it is written: not before it has once shown that it answers. */
  isResponsive = false
  /** Due rows wait in Postgres: news queue up behind them. */
  hasBacklog = false
  usedAt = performance.now()
  #target: Target | undefined
  #isRemoved = false
  readonly #cap: number
  readonly #latency: LatencyAverage
  readonly #clock: PostgresClock
  /** Attempts under way, the oldest first. */
  readonly #inProgress = new Set<{ at: number }>()
  #concurrency: number
  /** The window at which it asked to be left alone. */
  #throttledAt = Infinity
  #hasAnswered = false
  readonly #slowness = new Slowness()
  #failures = 0
  #recordedFailures = 0
  /** By the monotonic clock, as seen here; and by that of Postgres, as recorded there. */
  #pausedUntil = 0
  #recordedPause = 0

  constructor ({ id, url }: Pick<Target, 'id' | 'url'>, cap: number, pace = new LatencyAverage(), clock = new PostgresClock()) {
    this.id = id
    this.#latency = pace
    this.#clock = clock
    this.origin = originOf({ url })
    this.#cap = cap
    this.#concurrency = Math.min(INITIAL_CONCURRENCY, cap)
  }

  /** Whether a webhook was read before a change of it that is known here. */
  isNewerThan ({ changed_at: changedAt }: Target): boolean {
    return changedAt < (this.#target?.changed_at ?? 0)
  }

  /** Takes over the webhook as it was just read. Whoever changes it wants it to be tried: what was seen here before counts no more. */
  update (target: Target): void {
    if (this.#target && target.changed_at > this.#target.changed_at) {
      this.#failures = 0
      this.#pausedUntil = 0
    }
    this.#target = target
  }

  /** The webhook was deleted, or has another endpoint now: nothing more is begun here. */
  stop (): void {
    this.#isRemoved = true
  }

  /** The webhook as it is now, as far as it was read. */
  get target (): Target | undefined {
    return this.#target
  }

  get isStopped (): boolean {
    return this.#isRemoved || (this.#target !== undefined && this.#target.status !== 'active')
  }

  /** Takes over what Postgres knows, which other replicas have written too. */
  syncHealth ({ failures, open_until: openUntil }: Pick<Target, 'failures' | 'open_until'>): void {
    this.#recordedFailures = failures
    this.#recordedPause = openUntil
  }

  /** Notes that an attempt begins; the answer is to be called when it has ended. */
  beginAttempt (): () => void {
    const attempt = { at: performance.now() }
    this.#inProgress.add(attempt)
    return () => { this.#inProgress.delete(attempt) }
  }

  /** Whether an attempt is under way for longer than a prompt endpoint takes. */
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
   * As TCP does: quickly up to half of what was too much, slowly beyond. One
   * that limits its rate would refuse the whole window again after each pause,
   * and every delivery would lose an attempt to it.
   */
  #adapt (succeeded: boolean, isThrottled: boolean): void {
    const growth = this.#concurrency < this.#throttledAt / 2 ? 1 : 1 / this.#concurrency
    if (succeeded) {
      this.#concurrency = Math.min(this.#concurrency + growth, this.#cap)
      return
    }
    // What was in flight with the first that was refused is refused too.
    if (isThrottled && this.#concurrency > 1) this.#throttledAt = this.#concurrency
    this.#concurrency = isThrottled ? 1 : Math.max(1, Math.floor(this.#concurrency / 2))
  }

  #recordDuration ({ totalMs, ttfbMs = totalMs }: Durations): void {
    this.#latency.add(totalMs)
    this.#slowness.add(ttfbMs)
  }

  /** Whether it takes so long for each answer that a job's deliveries may lag. */
  get isSlow (): boolean {
    return this.#slowness.isSlow()
  }

  /** Attempts that failed in a row, here or as Postgres knows. */
  get failures (): number {
    return Math.max(this.#failures, this.#recordedFailures)
  }

  /** Whether Postgres has failures of it, which a success must undo. */
  get wasFailing (): boolean {
    return this.#recordedFailures > 0
  }

  /** How many attempts may be in flight. */
  get concurrency (): number {
    return this.failures >= TRIP_AFTER ? 1 : Math.floor(this.#concurrency)
  }

  /** How many more chains may be claimed for it: as many again as may be in flight wait here, so that no slot waits for SQL. */
  get capacity (): number {
    const depth = this.failures > 0 ? this.concurrency : 2 * this.concurrency
    return Math.max(0, depth - this.inFlight - this.waiting.length)
  }

  get isFailing (): boolean {
    return this.failures > 0
  }

  /** Whether it may well hold for a whole deadline what it is given: it fails, is late, or nobody knows how it answers. */
  get isUnproven (): boolean {
    return this.isFailing || !this.#hasAnswered || this.isLate
  }

  /** Left alone until a moment: it asked for that, or its breaker is open. */
  get isPaused (): boolean {
    return this.#pausedUntil > performance.now() || this.#recordedPause > this.#clock.now()
  }

  /** Left alone, or only probed. */
  get isCircuitOpen (): boolean {
    return this.isPaused || this.failures >= TRIP_AFTER
  }

  /** Whether a first attempt may be made at once, before there is a row. */
  get canTryInline (): boolean {
    return !this.hasBacklog && !this.isCircuitOpen
  }
}

/** Where an endpoint's connections go. */
export function originOf ({ url }: Pick<Target, 'url'>): string {
  return URL.parse(url)?.origin ?? url
}
