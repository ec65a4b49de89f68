import { parseInteger } from './text.ts'

const MAX_ROWS = 10_000
/** The longest page of the API. */
export const MAX_PAGE = 100

/** The option of lists: how many rows they print. */
export const LIMIT = {
  type: 'string', valueHint: 'N', default: '50', description: `How many; up to ${MAX_ROWS}`
} as const

export const limitOf = ({ limit }: { limit: string }): number =>
  parseInteger('--limit', limit, { min: 1, max: MAX_ROWS })
