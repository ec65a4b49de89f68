import { MAX_STATS_BUCKETS, type JobStatsQuery } from '@tidings/contracts'
import { invalidInput } from '@tidings/service-kit'

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]
/** Steps that people read easily. */
const STEPS = [
  SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY
]
const DEFAULT_BUCKETS = 100

/** From `from`, inclusive, to `to`, exclusive, in buckets of `step` milliseconds; the last one may be shorter. */
export type StatsRange = { from: number, to: number, step: number }

/**
 * The range that a query asks for. Without `from` and `to` it ends with the bucket of now, so that the buckets of two
 * requests are the same.
 * @throws 400 for a range without a length, or with more than 200 buckets
 */
export function statsRangeOf ({ from: start, to: end, step: given }: JobStatsQuery, now: number): StatsRange {
  const to = end ?? now
  const from = start ?? Math.max(0, to - DAY)
  if (from >= to) {
    throw invalidInput([{ path: 'querystring.from', message: `must be less than to, which is ${to}` }])
  }
  const step = given ?? defaultStep(to - from)
  const smallest = Math.max(SECOND, Math.ceil((to - from) / MAX_STATS_BUCKETS))
  if (step < smallest) {
    const message = `must be at least ${smallest}: from ${from} to ${to} there are ${MAX_STATS_BUCKETS} buckets at most`
    throw invalidInput([{ path: 'querystring.step', message }])
  }
  if (start !== undefined || end !== undefined) return { from, to, step }
  const aligned = Math.ceil((now + 1) / step) * step
  return { from: aligned - Math.ceil(DAY / step) * step, to: aligned, step }
}

function defaultStep (length: number): number {
  const least = length / DEFAULT_BUCKETS
  return STEPS.find(step => step >= least) ?? Math.ceil(least / DAY) * DAY
}
