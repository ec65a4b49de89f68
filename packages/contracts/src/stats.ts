import { Type } from 'typebox'
import { Moment } from './moment.ts'

/** Buckets in one response. */
export const MAX_STATS_BUCKETS = 200

/** What statistics over time are asked for; both services read it by `statsRangeOf` of service-kit. */
export const statsQuery = {
  from: Type.Optional(Moment('Start, inclusive; by default 24 hours before `to`')),
  to: Type.Optional(Moment('End, exclusive; by default now')),
  step: Type.Optional(Type.Unsafe<string | number>({
    type: ['string', 'integer'],
    maxLength: 16,
    description: `Length of a bucket: 30s, 15m, 1h, 1d, or milliseconds; at most ${MAX_STATS_BUCKETS} buckets; by ` +
      'default one that gives 100 or fewer',
    examples: ['15m']
  }))
}
/** Texts as a URL has them, or what a caller in TypeScript writes. */
export type StatsQuery = { from?: string | number, to?: string | number, step?: string | number }

/** The range of statistics and its buckets, all times in milliseconds since 1970. */
export const statsRange = {
  from: Type.Integer({ description: 'Start, inclusive, in milliseconds since 1970' }),
  to: Type.Integer({ description: 'End, exclusive' }),
  step: Type.Integer({ description: 'Length of a bucket in milliseconds; the last one ends at `to`' })
}

export const bucketStart = {
  from: Type.Integer({ description: 'Start of the bucket, in milliseconds since 1970' })
}

/** Says that there was more in the range than is read. */
export const partialStats = (bound: string) => ({
  isPartial: Type.Optional(Type.Literal(true, {
    description: `There were more than ${bound}: only the newest are counted`
  })),
  completeFrom: Type.Optional(Type.Integer({
    description: 'With `isPartial`: the numbers are complete from this time on, in milliseconds since 1970, and the ' +
      'first bucket is the one in which counting stopped'
  }))
})

const Percentile = () => Type.Unsafe<number | null>({ type: ['integer', 'null'] })

/** Of durations in milliseconds; null where there was none. */
export const percentiles = (description: string) =>
  Type.Object({ p50: Percentile(), p95: Percentile() }, { description })
