import { Type, type Static } from 'typebox'
import { Int32 } from './int32.ts'
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

export const JOB_EXAMPLE = {
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
}, { $id: 'JobSummary', examples: [JOB_EXAMPLE] })
export type JobSummary = Static<typeof JobSummary>

/** The response of `GET /jobs/:jobId`. */
export const Job = Type.Object({
  ...listed,
  attempts: Type.Object({
    made: Int32({ description: 'How often a worker has started the job' }),
    max: Int32({
      description:
        'How often it is started by itself, as submitted. A retry on request, or a worker that was lost, adds one'
    })
  }),
  result: Type.Optional(Type.Unknown({ description: 'The return value of the worker, once completed' })),
  resultTruncated: Type.Optional(
    Type.Literal(true, { description: 'The result is larger than 1 MiB and was not stored' })
  ),
  failedReason: Type.Optional(Type.String({ description: 'Why the job failed, once failed' })),
  errorTruncated: Type.Optional(
    Type.Literal(true, { description: 'The failedReason is larger than 1 MiB; this is its beginning' })
  ),
  data: Type.Optional(Type.Unknown({ description: 'With `include=data`: what was submitted' })),
  dataTruncated: Type.Optional(
    Type.Literal(true, { description: 'With `include=data`: the data is larger than 1 MiB and is not returned' })
  ),
  dataRemoved: Type.Optional(Type.Literal(true, {
    description: 'With `include=data`: the data is not kept any more; that of a completed job, and of a job of ' +
      'another producer, is read from BullMQ, which removes it'
  }))
}, { $id: 'Job', examples: [{ ...JOB_EXAMPLE, attempts: { made: 1, max: 3 }, result: { rows: 42049 } }] })
export type Job = Static<typeof Job>

/** Query of the routes that act on one job, and of its timeline. */
export const JobQuery = Type.Object({
  queue: Type.Optional(QueueName),
  after: Type.Optional(EventIdText)
}, { additionalProperties: false })
export type JobQuery = Static<typeof JobQuery>

/** Query of `GET /jobs/:jobId`. */
export const GetJobQuery = Type.Object({
  queue: Type.Optional(QueueName),
  wait: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 30, description: 'Seconds to wait for a change of the job' })
  ),
  include: Type.Optional(queryList(Type.Enum(['data']), {
    maxItems: 10, description: '`data`: what was submitted, up to 1 MiB (403 where JOB_DATA_VISIBLE is false)'
  })),
  after: Type.Optional(EventIdText)
}, { additionalProperties: false })
export type GetJobQuery = Static<typeof GetJobQuery>
