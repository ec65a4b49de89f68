import { Type, type Static } from 'typebox'
import { NullableEnum, nullable } from './nullable.ts'
import { orEmpty } from './or-empty.ts'
import { queryList } from './query-list.ts'

/** The five states that clients see. BullMQ's prioritized, paused and waiting-children read as `waiting`. */
export const JOB_STATES = ['waiting', 'delayed', 'active', 'completed', 'failed'] as const
export type JobState = typeof JOB_STATES[number]
export const JobState = Type.Enum([...JOB_STATES], { $id: 'JobState', description: 'State of the job' })

/** The longest job id, queue name or job name that is accepted, in characters. */
export const MAX_ID_LENGTH = 256
export const MAX_NAME_LENGTH = 128

// No control characters: Postgres refuses U+0000 in a text, and the others break logs and headers. No lone surrogates:
// they are not Unicode, and workers in other languages fail on them.
const PRINTABLE = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$'

export const JobId = Type.String({
  minLength: 1,
  maxLength: MAX_ID_LENGTH,
  pattern: PRINTABLE,
  description: 'Id of the job',
  examples: ['0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17']
})
export const QueueName = Type.String({
  minLength: 1,
  maxLength: MAX_NAME_LENGTH,
  pattern: '^[^:\\s\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$',
  description: 'Name of the BullMQ queue',
  examples: ['default']
})
export const JobName = Type.String({
  minLength: 1,
  maxLength: MAX_NAME_LENGTH,
  pattern: PRINTABLE,
  description: 'Name of the job, by which the worker chooses what to do',
  examples: ['dataProcessing']
})

/** The stream id of a job event: `<milliseconds>-<sequence>`. */
export const EventIdText = Type.String({
  pattern: '^\\d{1,15}-\\d{1,15}$',
  examples: ['1640995200000-0'],
  description: 'Id of a job event, the same in every channel'
})

// A list of types and not a union: a serializer has to try each part of a union.
const Nullable = Type.Unsafe<number | null>({ type: ['integer', 'null'] })

export const JobTimestamps = Type.Object({
  created: Type.Integer({ description: 'Milliseconds since 1970' }),
  started: Nullable,
  finished: Nullable
}, { $id: 'JobTimestamps' })

const listed = {
  id: JobId,
  name: JobName,
  queue: QueueName,
  state: JobState,
  progress: Type.Unknown({ description: 'The last progress that the worker reported (any JSON), 0 until then' }),
  progressTruncated: Type.Optional(Type.Literal(true, {
    description: 'The progress is too large for this response: above 64 KiB in a list, above 1 MiB for a single job'
  })),
  timestamp: JobTimestamps,
  lastEventId: Type.Unsafe<string | null>({
    ...EventIdText,
    type: ['string', 'null'],
    description: 'The last event of the job that this response reflects, null before the first'
  })
}

const EXAMPLE = {
  id: '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17',
  name: 'dataProcessing',
  queue: 'default',
  state: 'completed',
  progress: 100,
  timestamp: { created: 1640995200000, started: 1640995210000, finished: 1640995300000 },
  lastEventId: '1640995300000-0'
}

/** A job in a list. `userId` is there for operators who list the jobs of all users. */
export const JobSummary = Type.Object({
  ...listed,
  userId: Type.Optional(Type.Unsafe<string | number>({
    type: ['string', 'integer'], description: 'Owner of the job, in a list of the jobs of all users'
  }))
}, { $id: 'JobSummary', examples: [EXAMPLE] })
export type JobSummary = Static<typeof JobSummary>

/** The response of `GET /jobs/:jobId`. */
export const Job = Type.Object({
  ...listed,
  attempts: Type.Object({
    made: Type.Integer({ description: 'How often a worker has started the job' }),
    max: Type.Integer({ description: 'How often a worker may start it' })
  }),
  result: Type.Optional(Type.Unknown({ description: 'The return value of the worker, once completed' })),
  resultTruncated: Type.Optional(
    Type.Literal(true, { description: 'The result is larger than 1 MiB and was not stored' })
  ),
  failedReason: Type.Optional(Type.String({ description: 'Why the job failed, once failed' })),
  errorTruncated: Type.Optional(
    Type.Literal(true, { description: 'The failedReason is larger than 1 MiB; this is its beginning' })
  )
}, { $id: 'Job', examples: [{ ...EXAMPLE, attempts: { made: 1, max: 3 }, result: { rows: 42049 } }] })
export type Job = Static<typeof Job>

const Backoff = Type.Object({
  type: Type.Enum(['fixed', 'exponential']),
  delay: Type.Integer({ minimum: 0, maximum: 86_400_000, description: 'Milliseconds' })
}, { additionalProperties: false })

/** Which events a job's own webhookUrl receives. */
export const JOB_WEBHOOK_EVENT_TYPES = ['completed', 'failed', 'all'] as const
export type JobWebhookEventType = typeof JOB_WEBHOOK_EVENT_TYPES[number]

const ONE_YEAR_MS = 31_536_000_000

/** Body of `POST /submit-job`. Many clients send null for fields that they leave out. */
export const SubmitJob = Type.Object({
  name: JobName,
  data: Type.Optional(nullable(
    Type.Record(Type.String(), Type.Unknown(), { description: 'Data for the worker; the server sets `userId` in it' })
  )),
  queue: Type.Optional(nullable(QueueName)),
  delay: Type.Optional(nullable(
    Type.Integer({ minimum: 0, maximum: ONE_YEAR_MS, description: 'Milliseconds to wait before the job may start' })
  )),
  priority: Type.Optional(
    nullable(Type.Integer({ minimum: 0, maximum: 2_097_151, description: '0 (the default) runs first, then 1, 2, …' }))
  ),
  attempts: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 100 }))),
  backoff: Type.Optional(nullable(Backoff)),
  webhookUrl: Type.Optional(nullable(Type.String({
    format: 'url',
    pattern: '^https?://[^\\u0000-\\u001f\\u007f]*$',
    maxLength: 2048,
    description: 'Receives the events of this job that `webhookEventType` selects',
    examples: ['https://myapp.com/job-webhook']
  }))),
  webhookEventType: Type.Optional(NullableEnum([...JOB_WEBHOOK_EVENT_TYPES], {
    description: 'Events that `webhookUrl` receives: the completion (the default), the failure, or all, with progress'
  }))
}, { $id: 'NewJob', additionalProperties: false, examples: [{ name: 'dataProcessing', data: { file: 'data.csv' } }] })
export type SubmitJob = Static<typeof SubmitJob>

/** The body without nulls. */
export type NewJob = { [Name in keyof SubmitJob]: Exclude<SubmitJob[Name], null> }

export const MAX_BATCH = 1000

/** Body of `POST /submit-jobs`: all are accepted or none. */
export const SubmitJobs = Type.Object({
  jobs: Type.Array(SubmitJob, { minItems: 1, maxItems: MAX_BATCH })
}, {
  $id: 'NewJobs',
  additionalProperties: false,
  examples: [{
    jobs: [
      { name: 'dataProcessing', data: { file: 'a.csv' } },
      { name: 'dataProcessing', data: { file: 'b.csv' }, delay: 60000 }
    ]
  }]
})
export type SubmitJobs = Static<typeof SubmitJobs>

/** Body of `POST /jobs/:jobId/resubmit`, which may be left out. Without `data` the job's own is used. */
export const ResubmitJob = Type.Unsafe<{ data?: SubmitJob['data'] } | null>({
  ...nullable(Type.Object({ data: SubmitJob.properties.data }, { additionalProperties: false })),
  $id: 'ResubmitJob',
  examples: [{ data: { file: 'data.csv' } }]
})
export type ResubmitJob = Static<typeof ResubmitJob>

export const SubmittedJob = Type.Object({
  jobId: JobId,
  name: JobName,
  queue: QueueName,
  state: JobState
}, {
  $id: 'SubmittedJob',
  examples: [{ jobId: EXAMPLE.id, name: 'dataProcessing', queue: 'default', state: 'waiting' }]
})
export type SubmittedJob = Static<typeof SubmittedJob>

export const SubmittedJobs = Type.Object({ jobs: Type.Array(SubmittedJob) }, {
  $id: 'SubmittedJobs',
  examples: [{ jobs: [{ jobId: EXAMPLE.id, name: 'dataProcessing', queue: 'default', state: 'waiting' }] }]
})
export type SubmittedJobs = Static<typeof SubmittedJobs>

/** Query of the routes that act on one job, and of its timeline. */
export const JobQuery = Type.Object({
  queue: Type.Optional(orEmpty(QueueName)),
  after: Type.Optional(orEmpty(EventIdText))
}, { additionalProperties: false })
export type JobQuery = Static<typeof JobQuery>

/** Query of `GET /jobs/counts`. A job of another producer may have the id `counts`; with `queue` the job is meant. */
export const CountJobsQuery = Type.Object(
  { queue: Type.Optional(orEmpty(QueueName)), after: Type.Optional(orEmpty(EventIdText)) },
  { additionalProperties: false }
)

/** Query of `GET /jobs/:jobId`. */
export const GetJobQuery = Type.Object({
  queue: Type.Optional(orEmpty(QueueName)),
  wait: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 30, description: 'Seconds to wait for a change of the job' })
  ),
  after: Type.Optional(orEmpty(EventIdText))
}, { additionalProperties: false })
export type GetJobQuery = Static<typeof GetJobQuery>

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

const FromTime = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Jobs created (with `sort=finished`: finished) at or after this time, in milliseconds since 1970'
})
const ToTime = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Jobs created (with `sort=finished`: finished) before this time, in milliseconds since 1970'
})
const States = queryList(JobState, { maxItems: 20, description: 'States of the jobs' })

/** Filters that a query and a body have in common. */
const JOB_FILTER = {
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
  name: Type.Optional(orEmpty(JOB_FILTER.name)),
  queue: Type.Optional(orEmpty(JOB_FILTER.queue)),
  q: Type.Optional(orEmpty(JOB_FILTER.q)),
  sort: Type.Optional(orEmpty(JOB_FILTER.sort)),
  from: Type.Optional(FromTime),
  to: Type.Optional(ToTime),
  cursor: Type.Optional(orEmpty(Type.String({ maxLength: 512 }))),
  after: Type.Optional(orEmpty(EventIdText))
}, { additionalProperties: false })
export type ListJobsQuery = Static<typeof ListJobsQuery>

/** The filter of `GET /jobs` in a body: `{"status": ["failed"], "name": "resize", "q": "timeout"}`. */
export const JobFilterBody = Type.Object({
  status: Type.Optional(Type.Array(JobState, { minItems: 1, maxItems: 20, description: 'States of the jobs' })),
  name: Type.Optional(JOB_FILTER.name),
  queue: Type.Optional(JOB_FILTER.queue),
  q: Type.Optional(JOB_FILTER.q),
  sort: Type.Optional(JOB_FILTER.sort),
  from: Type.Optional(FromTime),
  to: Type.Optional(ToTime)
}, { additionalProperties: false, examples: [{ status: ['failed'], name: 'resize', q: 'timeout' }] })
export type JobFilterBody = Static<typeof JobFilterBody>

export const JobList = Type.Object({
  jobs: Type.Array(JobSummary),
  pagination: Type.Object({
    total: Type.Integer(),
    page: Type.Integer(),
    limit: Type.Integer(),
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
    { jobs: [EXAMPLE], pagination: { total: 50, page: 1, limit: 10, pages: 5, next: 'WzEsMTY0MDk5NTIwMDAwMCwxLDJd' } }
  ]
})
export type JobList = Static<typeof JobList>

export const JobCounts = Type.Object({
  waiting: Type.Integer(),
  delayed: Type.Integer(),
  active: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer()
}, { $id: 'JobCounts', examples: [{ waiting: 3, delayed: 0, active: 1, completed: 45, failed: 1 }] })
export type JobCounts = Static<typeof JobCounts>

/** One event of a job's timeline; progress is left out. */
export const JobTimelineEntry = Type.Object({
  eventId: EventIdText,
  type: Type.String(),
  state: JobState,
  timestamp: Type.Integer(),
  error: Type.Optional(Type.String()),
  errorTruncated: Type.Optional(
    Type.Literal(true, { description: 'The error is larger than 64 KiB; this is its beginning' })
  )
}, { $id: 'JobEvent' })
export type JobTimelineEntry = Static<typeof JobTimelineEntry>

export const JobTimeline = Type.Object({ events: Type.Array(JobTimelineEntry) }, {
  $id: 'JobTimeline',
  examples: [{ events: [{ eventId: '1640995210000-0', type: 'active', state: 'active', timestamp: 1640995210000 }] }]
})
export type JobTimeline = Static<typeof JobTimeline>
