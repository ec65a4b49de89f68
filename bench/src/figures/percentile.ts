/** The value below which this share of the values lies (nearest rank); NaN where there are none. */
export function percentile (values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return NaN
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
}

/** The middle one; the mean of the two in the middle where there are two. */
export function median (values: ArrayLike<number>): number {
  if (values.length === 0) return NaN
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2 : sorted[Math.floor(middle)] as number
}
