import type { Arrivals } from '../load/tally.ts'

/** The share of arrivals between a tenth and nine tenths. */
const MIDDLE = 0.8

/** Arrivals per second while the system was neither filling nor draining; NaN where too few arrived. */
export function middleRate (arrivals: number, { tenth, ninetieth }: Pick<Arrivals, 'tenth' | 'ninetieth'>): number {
  return tenth === 0 || ninetieth === 0 ? NaN : MIDDLE * arrivals / ((ninetieth - tenth) / 1_000_000)
}

/** The rate of each run, per second. */
export function rates (runs: { perSecond: number }[]): number[] {
  return runs.map(({ perSecond }) => perSecond)
}
