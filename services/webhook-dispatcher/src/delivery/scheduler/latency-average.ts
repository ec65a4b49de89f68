/** An endpoint is prompt that answers within this, or, where all are slow because we are busy, within a few times the usual. */
const RESPONSIVE_MS = 100
const RESPONSIVE_FACTOR = 3
const RESPONSIVE_MAX_MS = 1000
/** The weight of the newest answer in what is usual. */
const NEWEST_WEIGHT = 0.02

/** How long answers take at present, over all endpoints that give one. */
export class LatencyAverage {
  #averageMs = 0

  add (ms: number): void {
    this.#averageMs += (ms - this.#averageMs) * NEWEST_WEIGHT
  }

  get responsiveMs (): number {
    return Math.min(RESPONSIVE_MAX_MS, Math.max(RESPONSIVE_MS, RESPONSIVE_FACTOR * this.#averageMs))
  }
}
