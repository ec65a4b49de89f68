import { Tally } from './tally.ts'
import type { TallyBounds } from './tally.ts'

// Numbers as people write them. A leading zero makes a code ("00501" is a place, not five hundred and one).
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const MAX_NUMBER_LENGTH = 40
const MAX_TOP_VALUE_LENGTH = 60

export interface ColumnSummary {
  /** `number` when every non-empty cell is a number. */
  type: 'number' | 'text' | 'empty'
  /** Non-empty cells, and empty cells. */
  count: number
  nulls: number
  /** Distinct values. Exact unless `capped`: then there are more, and the counts in `top` are lower bounds. */
  distinct: number
  capped: boolean
  min?: number
  max?: number
  mean?: number
  top: Array<{ value: string, count: number }>
}

/** Statistics of one column, cell by cell. */
export class Column {
  #count = 0
  #nulls = 0
  #values: Tally
  #allNumbers = true
  #min = Infinity
  #max = -Infinity
  #mean = 0

  constructor (bounds: TallyBounds) {
    this.#values = new Tally(bounds)
  }

  add (cell: string) {
    if (cell === '') {
      this.#nulls++
      return
    }
    this.#count++
    this.#values.add(cell)
    if (this.#allNumbers) this.#addNumber(cell)
  }

  summary (topLength: number): ColumnSummary {
    const isNumber = this.#allNumbers && this.#count > 0
    return {
      type: isNumber ? 'number' : this.#count > 0 ? 'text' : 'empty',
      count: this.#count,
      nulls: this.#nulls,
      distinct: this.#values.distinct,
      capped: this.#values.capped,
      ...(isNumber ? { min: this.#min, max: this.#max, mean: this.#mean } : {}),
      top: this.#values.top(topLength).map(({ value, count }) => ({ value: shorten(value), count }))
    }
  }

  #addNumber (cell: string) {
    const value = toNumber(cell)
    if (value === undefined) {
      this.#allNumbers = false
      return
    }
    this.#min = Math.min(this.#min, value)
    this.#max = Math.max(this.#max, value)
    // A running mean, since a sum of many large numbers would lose digits and then overflow.
    this.#mean += (value - this.#mean) / this.#count
  }
}

function toNumber (cell: string) {
  if (cell.length > MAX_NUMBER_LENGTH || !NUMBER.test(cell)) return undefined
  const value = Number(cell)
  return Number.isFinite(value) ? value : undefined
}

function shorten (value: string) {
  return value.length <= MAX_TOP_VALUE_LENGTH ? value : value.slice(0, MAX_TOP_VALUE_LENGTH - 1).toWellFormed() + '…'
}
