import { ratios, spread } from './ratio.ts'
import type { Spread } from './ratio.ts'

/** A figure measured once per pair. */
export interface Series { name: string, values: number[] }

/** The target for our figure, or for its ratio to the peer's or the limit's. */
export type Goal = { of: 'ours' | 'peer' | 'limit' } & ({ atLeast: number } | { atMost: number })

export interface Row {
  scenario: string
  what: string
  unit: string
  ours: number[]
  peer?: Series
  limit?: Series
  goal?: Goal
  /** The busiest load process, in percent of a core: near 100 the load process was the limit, not the subject. */
  load?: { name: string, percent: number }
}

/** The figure or ratio that the goal applies to, over all pairs; undefined without a goal. */
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
