import { ratios, spread } from './ratio.ts'
import type { Spread } from './ratio.ts'

/** A figure measured again and again, once a pair. */
export interface Series { name: string, values: number[] }

/** What our figure, or its ratio to the peer's or the limit's, should be. */
export type Goal = { of: 'ours' | 'peer' | 'limit' } & ({ atLeast: number } | { atMost: number })

export interface Row {
  scenario: string
  what: string
  unit: string
  ours: number[]
  peer?: Series
  limit?: Series
  goal?: Goal
  /** The busiest load process, in percent of a core: near 100 the load was the bound, not what it measures. */
  load?: { name: string, percent: number }
}

/** What the goal is about, over all pairs; undefined without a goal. */
export function judged (row: Row): Spread | undefined {
  switch (row.goal?.of) {
    case 'ours': return spread(row.ours)
    case 'peer': return row.peer && ratios(row.ours, row.peer.values)
    case 'limit': return row.limit && ratios(row.ours, row.limit.values)
    default: return undefined
  }
}

/** Whether the median reaches the goal; undefined without a goal. */
export function isMet (row: Row): boolean | undefined {
  const judgement = judged(row)
  if (row.goal === undefined || judgement === undefined) return undefined
  return 'atLeast' in row.goal ? judgement.median >= row.goal.atLeast : judgement.median <= row.goal.atMost
}
