import { Type, type Static } from 'typebox'
import { JOB_EXAMPLE, JobId, JobName, JobState, QueueName } from './job.ts'
import { NullableEnum, nullable } from './nullable.ts'

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
  examples: [{ jobId: JOB_EXAMPLE.id, name: 'dataProcessing', queue: 'default', state: 'waiting' }]
})
export type SubmittedJob = Static<typeof SubmittedJob>

export const SubmittedJobs = Type.Object({ jobs: Type.Array(SubmittedJob) }, {
  $id: 'SubmittedJobs',
  examples: [{ jobs: [{ jobId: JOB_EXAMPLE.id, name: 'dataProcessing', queue: 'default', state: 'waiting' }] }]
})
export type SubmittedJobs = Static<typeof SubmittedJobs>
