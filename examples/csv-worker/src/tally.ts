export interface TallyBounds {
  values: number
  characters: number
}

/**
 * Counts how often each value occurs, in bounded memory. Exact while all values fit; from the first that does not, it
 * goes on as Misra and Gries described ("Finding repeated elements", 1982): that value takes one from every count and
 * what reaches zero leaves. Frequent values stay, each count too low by at most total / bounds.values, and the work
 * stays constant per value, because whatever is taken away was added before.
 */
export class Tally {
  /** Different values seen; once `capped`, there were more than these. */
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

  /** The most frequent values, the most frequent first, equals in the order of their text. */
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
