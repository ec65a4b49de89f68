export interface TallyBounds {
  values: number
  characters: number
}

/**
 * Counts how often each value occurs, in bounded memory. The counts are exact while all values fit. From the first
 * value that does not fit, it continues as Misra and Gries described ("Finding repeated elements", 1982): such a value
 * decrements every count, and values with a count of zero are removed. Frequent values stay, each count is too low by
 * at most total / bounds.values, and the work per value stays constant, because each decrement was an increment before.
 */
export class Tally {
  /** Distinct values so far; once `capped`, there are more than these. */
  distinct = 0
  capped = false
  #counts = new Map<string, number>()
  #characters = 0
  #bounds: TallyBounds

  constructor (bounds: TallyBounds) {
    this.#bounds = bounds
  }

  add (value: string) {
    const count = this.#counts.get(value)
    if (count !== undefined) this.#counts.set(value, count + 1)
    else if (this.#fits(value)) this.#enter(value)
    else this.#takeOneFromAll()
  }

  /** The most frequent values, sorted by frequency, and by their text where that is equal. */
  top (length: number) {
    return [...this.#counts]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, length)
  }

  #fits (value: string) {
    return this.#counts.size < this.#bounds.values && this.#characters + value.length <= this.#bounds.characters
  }

  #enter (value: string) {
    this.#counts.set(value, 1)
    this.#characters += value.length
    if (!this.capped) this.distinct++
  }

  #takeOneFromAll () {
    this.capped = true
    for (const [value, count] of this.#counts) {
      if (count > 1) {
        this.#counts.set(value, count - 1)
      } else {
        this.#counts.delete(value)
        this.#characters -= value.length
      }
    }
  }
}
