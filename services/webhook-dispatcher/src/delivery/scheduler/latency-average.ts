/**
 * A responsive endpoint answers within this time or, while all are slow because we are busy, a few times the average.
 */
const RESPONSIVE_MS = 100
const RESPONSIVE_FACTOR = 3
const RESPONSIVE_MAX_MS = 1000
/** The weight of the newest response in the average. */
const NEWEST_WEIGHT = 0.02

/** The moving average of response times, over all endpoints that answer. */
export class LatencyAverage {
  #averageMs = 0

  add (ms: number): void {
    this.#averageMs += (ms - this.#averageMs) * NEWEST_WEIGHT
  }

  get responsiveMs (): number {
    return Math.min(RESPONSIVE_MAX_MS, Math.max(RESPONSIVE_MS, RESPONSIVE_FACTOR * this.#averageMs))
  }
}
