import type { Arrivals } from '../load/tally.ts'

/** Between the arrival of a tenth and of nine tenths. */
const MIDDLE = 0.8

/** Arrivals a second while the system was neither filling nor draining; NaN where too few arrived. */
export function middleRate (arrivals: number, { tenth, ninetieth }: Pick<Arrivals, 'tenth' | 'ninetieth'>): number {
  return tenth === 0 || ninetieth === 0 ? NaN : MIDDLE * arrivals / ((ninetieth - tenth) / 1_000_000)
}
