import type { AttemptOutcome } from '../../egress/outcome.ts'
import type { LatencyAverage } from './latency-average.ts'
import { Slowness } from './slowness.ts'

/** How quickly an endpoint answers. */
export class Responsiveness {
  /** `unanswered`: no attempt has succeeded yet; otherwise by the last attempt. */
  #state: 'unanswered' | 'responsive' | 'unresponsive' = 'unanswered'
  /** Attempts in flight, the oldest first. */
  readonly #inProgress = new Set<{ at: number }>()
  readonly #latency: LatencyAverage
  readonly #slowness = new Slowness()

  constructor (latency: LatencyAverage) {
    this.#latency = latency
  }

  get hasAnswered (): boolean {
    return this.#state !== 'unanswered'
  }

  get isResponsive (): boolean {
    return this.#state === 'responsive'
  }

  /** Whether it takes so long for each response that a job's deliveries may lag. */
  get isSlow (): boolean {
    return this.#slowness.isSlow()
  }

  /** Whether an attempt has been in flight for longer than a responsive endpoint takes. */
  get isLate (): boolean {
    const [oldest] = this.#inProgress
    return oldest !== undefined && performance.now() - oldest.at > this.#latency.responsiveMs
  }

  /** An endpoint that is late is not responsive until it answers quickly again. */
  noteLateness (): void {
    if (this.#state === 'responsive' && this.isLate) this.#state = 'unresponsive'
  }

  /** Records the start of an attempt; the returned function is to be called at its end. */
  begin (): () => void {
    const attempt = { at: performance.now() }
    this.#inProgress.add(attempt)
    return () => { this.#inProgress.delete(attempt) }
  }

  record ({ ok, durations: { totalMs, ttfbMs = totalMs } }: AttemptOutcome): void {
    if (ok) {
      this.#state = totalMs < this.#latency.responsiveMs ? 'responsive' : 'unresponsive'
      this.#latency.add(totalMs)
      this.#slowness.add(ttfbMs)
    } else if (this.#state === 'responsive') {
      this.#state = 'unresponsive'
    }
  }
}
