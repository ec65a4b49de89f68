/** The rate of each run, in a second. */
export function rates (runs: { perSecond: number }[]): number[] {
  return runs.map(({ perSecond }) => perSecond)
}
