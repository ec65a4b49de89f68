import { median } from './percentile.ts'

/** A figure over all pairs. */
export interface Spread { median: number, min: number, max: number }

export function spread (values: number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/**
 * Ours divided by theirs, pair by pair: a slow period of the machine affects both halves of a pair.
 * A figure without its other half is left out.
 */
export function ratios (ours: number[], theirs: number[]): Spread {
  const pairs = Math.min(ours.length, theirs.length)
  return spread(Array.from({ length: pairs }, (_, index) => (ours[index] as number) / (theirs[index] as number)))
}
