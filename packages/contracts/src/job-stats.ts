import { Type, type Static } from 'typebox'
import { EventIdText, JobName, QueueName } from './job.ts'
import { bucketStart, MAX_STATS_BUCKETS, partialStats, percentiles, statsQuery, statsRange } from './stats.ts'

/** Query of `GET /jobs/stats`. */
export const JobStatsQuery = Type.Object({
  ...statsQuery,
  name: Type.Optional(JobName),
  queue: Type.Optional(QueueName),
  after: Type.Optional(EventIdText)
}, { additionalProperties: false })
export type JobStatsQuery = Static<typeof JobStatsQuery>

const counts = {
  completed: Type.Integer({ description: 'Jobs that completed' }),
  failed: Type.Integer({ description: 'Jobs that failed' }),
  durationMs: percentiles('Median and 95th percentile of the time from the last start to the end; null without a job ' +
    'that had started')
}

const example = { completed: 45, failed: 1, durationMs: { p50: 812, p95: 4100 } }

/** The jobs that finished in a time, by outcome. */
export const FinishedJobCounts = Type.Object(counts, { $id: 'FinishedJobCounts', examples: [example] })
export type FinishedJobCounts = Static<typeof FinishedJobCounts>

const JobStatsBucket = Type.Object({ ...bucketStart, ...counts }, {
  $id: 'JobStatsBucket', examples: [{ from: 1640995200000, ...example }]
})

/** The finished jobs of a user over time. */
export const JobStats = Type.Object({
  ...statsRange,
  total: FinishedJobCounts,
  buckets: Type.Array(JobStatsBucket, {
    maxItems: MAX_STATS_BUCKETS, description: 'Oldest first, empty ones included'
  }),
  ...partialStats('the 200,000 jobs that are read')
}, {
  $id: 'JobStats',
  examples: [{
    from: 1640995200000,
    to: 1640998800000,
    step: 1800000,
    total: example,
    buckets: [
      { from: 1640995200000, ...example },
      { from: 1640997000000, completed: 0, failed: 0, durationMs: { p50: null, p95: null } }
    ]
  }]
})
export type JobStats = Static<typeof JobStats>
