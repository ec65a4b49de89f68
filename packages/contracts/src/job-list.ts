import { Type, type Static } from 'typebox'
import { Int32 } from './int32.ts'
import { EventIdText, JOB_EXAMPLE, JobName, JobState, JobSummary, QueueName } from './job.ts'
import { Moment } from './moment.ts'
import { queryList } from './query-list.ts'

/** The order of a list: by `timestamp.created`, or the finished jobs by `timestamp.finished`; newest first. */
const JOB_SORTS = ['created', 'finished'] as const
export type JobSort = typeof JOB_SORTS[number]

/** Text to search for. U+0000 cannot be stored in a name or an error, and lone surrogates are not Unicode. */
const JobSearch = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000\\ud800-\\udfff]+$',
  description: 'Beginning of an id, or part of a name or of a failedReason, taken literally; the case matters in ids ' +
    'only. Searches the newest 100,000 jobs that the other filters leave: `pagination.isPartial` says whether there ' +
    'are more',
  examples: ['timeout']
})

const FromTime = Moment('Jobs created (with `sort=finished`: finished) at or after this time')
const ToTime = Moment('Jobs created (with `sort=finished`: finished) before this time')
const States = queryList(JobState, { maxItems: 20, description: 'States of the jobs' })

/** Filters that a query and a body have in common. */
const JOB_FILTER = {
  bulkId: Type.String({
    pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    description: 'Id of a bulk action on jobs: those that it retried or cancelled',
    examples: ['0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17']
  }),
  name: JobName,
  queue: QueueName,
  q: JobSearch,
  sort: Type.Enum([...JOB_SORTS], {
    description: 'Key of the order and of `from` and `to`; `finished` lists ended jobs'
  })
}

/** Query of `GET /jobs`. */
export const ListJobsQuery = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 1 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
  status: Type.Optional(States),
  name: Type.Optional(JOB_FILTER.name),
  queue: Type.Optional(JOB_FILTER.queue),
  q: Type.Optional(JOB_FILTER.q),
  sort: Type.Optional(JOB_FILTER.sort),
  bulkId: Type.Optional(JOB_FILTER.bulkId),
  from: Type.Optional(FromTime),
  to: Type.Optional(ToTime),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
  after: Type.Optional(EventIdText)
}, { additionalProperties: false })
export type ListJobsQuery = Static<typeof ListJobsQuery>

/** The filter of `GET /jobs` in a body: `{"status": ["failed"], "name": "resize", "q": "timeout"}`. */
export const JobFilterBody = Type.Object({
  status: Type.Optional(Type.Array(JobState, { minItems: 1, maxItems: 20, description: 'States of the jobs' })),
  name: Type.Optional(JOB_FILTER.name),
  queue: Type.Optional(JOB_FILTER.queue),
  q: Type.Optional(JOB_FILTER.q),
  sort: Type.Optional(JOB_FILTER.sort),
  bulkId: Type.Optional(JOB_FILTER.bulkId),
  from: Type.Optional(FromTime),
  to: Type.Optional(ToTime)
}, { additionalProperties: false, examples: [{ status: ['failed'], name: 'resize', q: 'timeout' }] })
export type JobFilterBody = Static<typeof JobFilterBody>

export const JobList = Type.Object({
  jobs: Type.Array(JobSummary),
  pagination: Type.Object({
    total: Type.Integer(),
    page: Int32(),
    limit: Int32(),
    pages: Type.Integer(),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page, null at the end' }),
    totalIsCapped: Type.Optional(
      Type.Literal(true, { description: 'There are at least `total` jobs; counting stopped there' })
    ),
    isPartial: Type.Optional(Type.Literal(true, {
      description: 'Only `scanned` jobs were searched, and there are more; `next` continues behind them'
    })),
    scanned: Type.Optional(Type.Integer({
      description: 'Number of jobs that were searched for those of this list, where no index leads to them'
    }))
  })
}, {
  $id: 'JobPage',
  examples: [
    {
      jobs: [JOB_EXAMPLE],
      pagination: { total: 50, page: 1, limit: 10, pages: 5, next: 'WzEsMTY0MDk5NTIwMDAwMCwxLDJd' }
    }
  ]
})
export type JobList = Static<typeof JobList>

/** Query of `GET /jobs/counts`. A job of another producer may have the id `counts`; with `queue` the job is meant. */
export const CountJobsQuery = Type.Object(
  { queue: Type.Optional(QueueName), after: Type.Optional(EventIdText) },
  { additionalProperties: false }
)

export const JobCounts = Type.Object({
  waiting: Type.Integer(),
  delayed: Type.Integer(),
  active: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer()
}, { $id: 'JobCounts', examples: [{ waiting: 3, delayed: 0, active: 1, completed: 45, failed: 1 }] })
export type JobCounts = Static<typeof JobCounts>
