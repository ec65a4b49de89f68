import { JobFailedError } from './job-failed-error.ts'
import { createScope } from './abort.ts'
import { TidingsError } from './errors.ts'
import type { RequestOptions, Routes } from './routes.ts'
import { validate, type InputOf, type OutputOf, type Schema } from './schema.ts'
import type {
  Job, JobCounts, JobDeliveries, JobList, JobStats, JobStatsQuery, JobSummary, JobTimeline, JobTimelineEntry,
  ListJobsQuery, NewJob, SubmittedJob
} from './types.ts'
import { isFinal, type WatchOptions } from './job-watcher.ts'
import { watchJob, type JobWatch } from './watch.ts'
import type { WatchHub } from './watch-hub.ts'

/** By the name of a job: what it takes, and what it results in. */
export type JobSchemas = Record<string, {
  data?: Schema<unknown, unknown>
  result?: Schema<unknown, unknown>
}>

type NamesOf<Schemas> = string extends keyof Schemas ? string : keyof Schemas & string
type DataOf<Schemas, Name> = Name extends keyof Schemas
  ? Schemas[Name] extends { data: infer S } ? InputOf<S> : Record<string, unknown>
  : Record<string, unknown>
type ResultOf<Schemas, Name> = Name extends keyof Schemas
  ? Schemas[Name] extends { result: infer S } ? OutputOf<S> : unknown
  : unknown

interface OnceOptions extends RequestOptions {
  /** A repeat with the same key and body within 24 hours makes no second job. One is made where this is left out. */
  idempotencyKey?: string | undefined
}

export type SubmitOptions = OnceOptions & Omit<NewJob, 'name' | 'data'>

export interface JobOptions extends RequestOptions {
  /** Where the ids of jobs that others add repeat. */
  queue?: string | undefined
}

/** `data`: what the job was submitted with, too. */
export type GetJobOptions = GetOptions & { include?: 'data' | undefined }

export interface GetOptions extends JobOptions {
  /** Answers from a moment at or after this event. */
  after?: string | undefined
}

export interface ResultOptions<S> extends WatchOptions {
  /** What the result has to be; refused is it with `invalid_value`. */
  result?: S | undefined
}

export interface WaitOptions<S> extends ResultOptions<S> {
  /** Milliseconds, after which `timeout` is thrown; the job goes on. */
  timeout?: number | undefined
}

export type ResubmitOptions = OnceOptions & JobOptions & { data?: Record<string, unknown> | undefined }

/** A job that was submitted. */
export interface JobHandle<Result = unknown> extends SubmittedJob {
  /** Resolves with the job once it is completed; rejects with JobFailedError once it has failed. */
  wait: (options?: Omit<WaitOptions<never>, 'result'>) => Promise<CompletedJob<Result>>
  watch: (options?: WatchOptions) => JobWatch<Result>
  get: (options?: GetJobOptions) => Promise<Job>
  cancel: (options?: JobOptions) => Promise<Job>
}

export interface JobDeliveriesOptions extends RequestOptions {
  /** For a job whose id occurs in several queues. */
  queue?: string | undefined
}

/** The events of a job, its attempts and samples of its progress, each oldest first. */
export type DetailedTimeline = Required<JobTimeline>

export type CompletedJob<Result = unknown> = Job & { state: 'completed', result: Result }

export type Jobs<Schemas extends JobSchemas> = ReturnType<typeof createJobs<Schemas>>

export function createJobs<Schemas extends JobSchemas> (
  { route, pages }: Routes, hub: WatchHub, schemas: Schemas
) {
  const schemaOf = (name: string) => Object.hasOwn(schemas, name) ? schemas[name] : undefined
  const get = route<[jobId: string], Job, GetJobOptions>('GET /jobs/:id')
  const cancel = route<[jobId: string], Job, JobOptions>('POST /jobs/:id/cancel')
  const submitOne = route<[body: object], SubmittedJob, OnceOptions>('POST /submit-job body once')
  const resubmitOne = route<[jobId: string, body: object], SubmittedJob, OnceOptions & JobOptions>(
    'POST /jobs/:id/resubmit body once')
  const detail = route<[jobId: string], DetailedTimeline, GetOptions & { include: 'progress' }>('GET /jobs/:id/events')
  const submitAll = route<[body: object], SubmittedJob[], OnceOptions>('POST /submit-jobs body once', 'jobs')

  async function submit<Name extends NamesOf<Schemas>> (
    name: Name, data?: DataOf<Schemas, Name>, { signal, idempotencyKey, ...fields }: SubmitOptions = {}
  ): Promise<JobHandle<ResultOf<Schemas, Name>>> {
    const schema = schemaOf(name)?.data
    if (schema) await validate(schema, data, `The data of ${name}`)
    const submitted = await submitOne({ name, data, ...fields }, { signal, idempotencyKey })
    return handle(submitted) as JobHandle<ResultOf<Schemas, Name>>
  }

  async function submitMany (jobs: NewJob[], options?: OnceOptions): Promise<JobHandle[]> {
    return (await submitAll({ jobs }, options)).map(handle)
  }

  function handle (submitted: SubmittedJob): JobHandle {
    const { jobId, name } = submitted
    const result = schemaOf(name)?.result
    return {
      ...submitted,
      wait: options => wait(jobId, { ...options, result }),
      watch: options => watch(jobId, { ...options, result }),
      get: options => get(jobId, options),
      cancel: options => cancel(jobId, options)
    }
  }

  /** A new job like another one, with its data or with other data. */
  async function resubmit (
    jobId: string, { data, ...options }: ResubmitOptions = {}
  ): Promise<JobHandle> {
    return handle(await resubmitOne(jobId, { data }, options))
  }

  function watch<S extends Schema<unknown, unknown>> (
    jobId: string, { result, ...options }: ResultOptions<S> = {}
  ): JobWatch<OutputOf<S>> {
    return watchJob(hub, jobId, options, job => result ? withResult(job, result) : job) as JobWatch<OutputOf<S>>
  }

  async function wait<S extends Schema<unknown, unknown>> (
    jobId: string, { timeout, signal, ...options }: WaitOptions<S> = {}
  ): Promise<CompletedJob<OutputOf<S>>> {
    const late = new TidingsError('timeout', `No end within ${timeout} ms`)
    const scope = createScope([signal], timeout, late)
    try {
      for await (const job of watch(jobId, { ...options, signal: scope.signal })) {
        if (job.state === 'completed') return job as CompletedJob<OutputOf<S>>
        if (isFinal(job)) throw new JobFailedError(job)
      }
      throw new TidingsError('closed', 'It was closed')
    } finally {
      scope.dispose()
    }
  }

  return {
    /** Accepted once it resolves: the job will run. Sent again where no response came; that makes no second job. */
    submit,
    /** Up to 1,000 jobs, all or none. */
    submitMany,
    get,
    /** Snapshots of a job as it changes: at once as it stands, and its end last. A slow reader skips some. */
    watch,
    /**
     * Resolves with the job once it is completed, and rejects with JobFailedError once it has failed. It does so for
     * nothing but the job's own end: connections may come and go.
     */
    wait,
    /** The webhooks that each event of the job went to, with what became of it. */
    deliveries: route<[jobId: string], JobDeliveries, JobDeliveriesOptions>('GET /jobs/:id/deliveries'),
    /** Newest first. `for await` reads all pages. */
    list: pages<[], JobSummary, JobList, ListJobsQuery & RequestOptions>('/jobs', 'jobs'),
    /** Removes a job that waits; asks the worker of one that is active to stop. It then fails. */
    cancel,
    /** Lets a failed job run once more. Returns it as it was: `watch` and `wait` what follows with `after`. */
    retry: route<[jobId: string], Job, JobOptions>('POST /jobs/:id/retry'),
    resubmit,
    /** How many jobs there are in each state. */
    counts: route<[], JobCounts, Omit<GetOptions, 'queue'>>('GET /jobs/counts'),
    /** Finished jobs by outcome and bucket of time, with percentiles of their duration. */
    stats: route<[], JobStats, JobStatsQuery & RequestOptions>('GET /jobs/stats'),
    /** What happened to a job, without progress. */
    timeline: route<[jobId: string], JobTimelineEntry[], GetOptions>('GET /jobs/:id/events', 'events'),
    /** The same with the attempts, each with its times and error, and with at most 200 samples of the progress. */
    detailedTimeline: (jobId: string, options?: GetOptions): Promise<DetailedTimeline> =>
      detail(jobId, { ...options, include: 'progress' })
  }
}

async function withResult (job: Job, schema: Schema<unknown, unknown>): Promise<Job> {
  if (job.state !== 'completed') return job
  return { ...job, result: await validate(schema, job.result, `The result of ${job.id}`) }
}
