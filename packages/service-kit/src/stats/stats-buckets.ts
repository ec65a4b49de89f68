import type { StatsRange } from './stats-range.ts'

/** What a statement counted: in a bucket by its number from 0, or in all of them (null). */
type CountedRow<Counts> = { bucket: number | null, counts: Counts }

type Counted<Counts> = {
  rows: CountedRow<Counts>[]
  /** The counts of a bucket with nothing in it. */
  none: Counts
  /** If not all was read: when the oldest of what was read happened. Of the same millisecond some may be missing. */
  oldest: number | undefined
}

/** The response of a route with statistics, empty buckets included, from where all of them were counted. */
export function statsOf<Counts extends object> (range: StatsRange, { rows, none, oldest }: Counted<Counts>) {
  const { from, to, step } = range
  const byBucket = new Map(rows.map(({ bucket, counts }) => [bucket, counts]))
  const stop = oldest === undefined ? undefined : Math.max(from, oldest)
  const first = stop === undefined ? 0 : Math.floor((stop - from) / step)
  const numbers = Array.from({ length: Math.ceil((to - from) / step) - first }, (_, i) => first + i)
  return {
    ...range,
    total: byBucket.get(null) ?? none,
    buckets: numbers.map(i => ({ from: from + i * step, ...(byBucket.get(i) ?? none) })),
    ...(stop !== undefined && { isPartial: true as const, completeFrom: stop + 1 })
  }
}
