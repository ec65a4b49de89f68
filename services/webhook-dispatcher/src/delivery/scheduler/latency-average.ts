/** An endpoint is prompt that answers within this, or, where all are slow because we are busy, within a few times the usual. */
const PROMPT_MS = 100
const PROMPT_SHARE = 3
const PROMPT_MAX_MS = 1000
/** The weight of the newest answer in what is usual. */
const USUAL_WEIGHT = 0.02

/** How long answers take at present, over all endpoints that give one. */
export class Pace {
  #usualMs = 0

  note (ms: number): void {
    this.#usualMs += (ms - this.#usualMs) * USUAL_WEIGHT
  }

  get promptMs (): number {
    return Math.min(PROMPT_MAX_MS, Math.max(PROMPT_MS, PROMPT_SHARE * this.#usualMs))
  }
}
