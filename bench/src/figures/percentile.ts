/** The percentile by nearest rank; NaN where there are no values. */
export function percentile (values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return NaN
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
}

/** The middle value, or the mean of the two middle values; NaN where there are none. */
export function median (values: ArrayLike<number>): number {
  if (values.length === 0) return NaN
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length / 2
  if (!Number.isInteger(middle)) return sorted[Math.floor(middle)] as number
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
