import { Type, type Static } from 'typebox'
import { EventIdText, JobName, QueueName } from './job.ts'
import { orEmpty } from './or-empty.ts'
import { MAX_STATS_BUCKETS } from './webhook-stats.ts'

const Time = (description: string) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })

/** Query of `GET /jobs/stats`. */
export const JobStatsQuery = Type.Object({
  from: Type.Optional(Time('Start, inclusive, in milliseconds since 1970; 24 hours before `to` by default')),
  to: Type.Optional(Time('End, exclusive, in milliseconds since 1970; now by default')),
  step: Type.Optional(Type.Integer({
    minimum: 1000,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Length of a bucket in milliseconds, with at most 200 buckets; by default one that gives 100 or fewer'
  })),
  name: Type.Optional(orEmpty(JobName)),
  queue: Type.Optional(orEmpty(QueueName)),
  after: Type.Optional(orEmpty(EventIdText))
}, { additionalProperties: false })
export type JobStatsQuery = Static<typeof JobStatsQuery>

const Percentile = (description: string) => Type.Unsafe<number | null>({ type: ['integer', 'null'], description })

const JobStatsBucket = Type.Object({
  from: Type.Integer({ description: 'Start of the bucket, in milliseconds since 1970' }),
  completed: Type.Integer({ description: 'Jobs that completed in the bucket' }),
  failed: Type.Integer({ description: 'Jobs that failed in the bucket' }),
  durationMs: Type.Object({
    p50: Percentile('Median of the time from the last start to the end; null without a job that had started'),
    p95: Percentile('95th percentile of it')
  })
}, { $id: 'JobStatsBucket' })
export type JobStatsBucket = Static<typeof JobStatsBucket>

/** The finished jobs of a user over time. */
export const JobStats = Type.Object({
  from: Type.Integer(),
  to: Type.Integer(),
  step: Type.Integer(),
  buckets: Type.Array(JobStatsBucket, { maxItems: MAX_STATS_BUCKETS }),
  isPartial: Type.Optional(Type.Literal(true, {
    description: 'There were too many jobs: only the newest 200,000 that finished in the time were read'
  })),
  completeFrom: Type.Optional(Type.Integer({
    description: 'Of what is partial: jobs that finished before this time, in milliseconds since 1970, are not counted'
  }))
}, {
  $id: 'JobStats',
  examples: [{
    from: 1640995200000,
    to: 1640998800000,
    step: 1800000,
    buckets: [
      { from: 1640995200000, completed: 45, failed: 1, durationMs: { p50: 812, p95: 4100 } },
      { from: 1640997000000, completed: 0, failed: 0, durationMs: { p50: null, p95: null } }
    ]
  }]
})
export type JobStats = Static<typeof JobStats>
