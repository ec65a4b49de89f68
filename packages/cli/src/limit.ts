import { parseInteger } from './text.ts'

const MAX_ROWS = 10_000

/** The option of lists: how many rows they print. */
export const LIMIT = {
  type: 'string', valueHint: 'N', default: '50', description: `How many; up to ${MAX_ROWS}`
} as const

export const limitOf = ({ limit }: { limit: string }): number =>
  parseInteger('--limit', limit, { min: 1, max: MAX_ROWS })
