import { MAX_STATS_BUCKETS, type StatsQuery } from '@tidings/contracts'
import { invalidInput } from '../invalid-input.ts'
import { MOMENT_FORMS, momentOf } from '../moment.ts'

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]
const UNIT_MS = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }
/** Steps that people read easily. */
const STEPS = [
  SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY
]
const DEFAULT_BUCKETS = 100
const STEP = /^(?:([1-9]\d{0,12})|([1-9]\d{0,6})([smhd]))$/

/** From `from`, inclusive, to `to`, exclusive, in buckets of `step` milliseconds; the last one may be shorter. */
export type StatsRange = { from: number, to: number, step: number }

/**
 * The range that a query asks for. Without `from` and `to` it ends with the bucket of now, so that the buckets of two
 * requests are the same.
 * @throws INVALID_INPUT for a time or a step of another form, a range without a length, or one with more than 200
 * buckets
 */
export function statsRangeOf (query: StatsQuery, now = Date.now()): StatsRange {
  const { from: start, to: end, step: given } = read(query)
  const to = end ?? now
  const from = start ?? to - DAY
  if (from >= to) throw fault('from', `must be before to, which is ${timeOf(to)}`)
  const step = given ?? defaultStep(to - from)
  const smallest = Math.max(SECOND, Math.ceil((to - from) / MAX_STATS_BUCKETS / SECOND) * SECOND)
  if (step < smallest) {
    const range = `from ${timeOf(from)} to ${timeOf(to)} there are ${MAX_STATS_BUCKETS} buckets at most`
    throw fault('step', `must be at least ${smallest / SECOND}s: ${range}`)
  }
  if (start !== undefined || end !== undefined) return { from, to, step }
  const aligned = Math.ceil((now + 1) / step) * step
  return { from: aligned - Math.ceil(DAY / step) * step, to: aligned, step }
}

function read ({ from, to, step }: StatsQuery): Partial<StatsRange> {
  return {
    ...(from !== undefined && { from: readTime('from', from) }),
    ...(to !== undefined && { to: readTime('to', to) }),
    ...(step !== undefined && { step: readStep(step) })
  }
}

function readTime (name: 'from' | 'to', value: string | number): number {
  const time = momentOf(value)
  if (time === undefined) throw fault(name, `must be ${MOMENT_FORMS}`)
  return time
}

function readStep (value: string | number): number {
  const [, ms, count, unit] = STEP.exec(String(value)) ?? []
  if (ms !== undefined) return Number(ms)
  if (count !== undefined) return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  throw fault('step', 'must be a duration, such as 30s, 15m, 1h or 1d, or milliseconds')
}

function defaultStep (length: number): number {
  const least = length / DEFAULT_BUCKETS
  return STEPS.find(step => step >= least) ?? Math.ceil(least / DAY) * DAY
}

function fault (name: string, message: string) {
  return invalidInput([{ path: `querystring.${name}`, message }])
}

/** The largest times are beyond what a date may be. */
function timeOf (ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms)
}
