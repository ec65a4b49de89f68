import { JobFailedError } from './job-failed-error.ts'
import { anySignal } from './abort.ts'
import { TidingsError } from './errors.ts'
import { call, path, send, type Http } from './http.ts'
import { validate, type InputOf, type OutputOf, type Schema } from './schema.ts'
import type {
  Job, JobCounts, JobList, JobSummary, JobTimelineEntry, ListJobsQuery, NewJob, SubmittedJob, SubmittedJobs
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

export interface RequestOptions { signal?: AbortSignal | undefined }

export type SubmitOptions = RequestOptions & Omit<NewJob, 'name' | 'data'> & {
  /** A repeat with the same key and body within 24 hours makes no second job. One is made where this is left out. */
  idempotencyKey?: string | undefined
}

export interface JobOptions extends WatchOptions {}

export interface GetOptions extends JobOptions {
  /** Answers from a moment at or after this event. */
  after?: string | undefined
}

export interface ResultOptions<S> extends JobOptions {
  /** What the result has to be; refused is it with `invalid_value`. */
  result?: S | undefined
}

export interface WaitOptions<S> extends ResultOptions<S> {
  /** Milliseconds, after which `timeout` is thrown; the job goes on. */
  timeout?: number | undefined
}

/** A job that was submitted. */
export interface JobHandle<Result = unknown> extends SubmittedJob {
  /** Resolves with the job once it is completed; rejects with JobFailedError once it has failed. */
  wait: (options?: Omit<WaitOptions<never>, 'result'>) => Promise<CompletedJob<Result>>
  watch: (options?: JobOptions) => JobWatch<Result>
  get: (options?: GetOptions) => Promise<Job>
  cancel: (options?: JobOptions) => Promise<Job>
}

export type CompletedJob<Result = unknown> = Job & { state: 'completed', result: Result }

/** Read page by page with `for await`, or a page at a time. */
export interface Pages<Item, Page> extends AsyncIterable<Item> {
  /** The first page; with the query's own `cursor` or `page`, that one. */
  page: () => Promise<Page>
}

export type Jobs<Schemas extends JobSchemas> = ReturnType<typeof createJobs<Schemas>>

export function createJobs<Schemas extends JobSchemas> (http: Http, hub: WatchHub, schemas: Schemas) {
  async function submit<Name extends NamesOf<Schemas>> (
    name: Name, data?: DataOf<Schemas, Name>, options: SubmitOptions = {}
  ): Promise<JobHandle<ResultOf<Schemas, Name>>> {
    const { signal, idempotencyKey = randomKey(), ...fields } = options
    const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined
    if (schema?.data) await validate(schema.data, data, `The data of ${name}`)
    const submitted = await call<SubmittedJob>(http, 'POST', '/submit-job', {
      body: { name, data, ...fields },
      headers: { 'idempotency-key': idempotencyKey },
      repeatable: true,
      signal
    })
    return handle(submitted, schema?.result) as JobHandle<ResultOf<Schemas, Name>>
  }

  const resultOf = (name: string) => Object.hasOwn(schemas, name) ? schemas[name]?.result : undefined

  async function submitMany (
    jobs: NewJob[], { signal, idempotencyKey = randomKey() }: Pick<SubmitOptions, 'signal' | 'idempotencyKey'> = {}
  ): Promise<JobHandle[]> {
    const submitted = await call<SubmittedJobs>(http, 'POST', '/submit-jobs', {
      body: { jobs }, headers: { 'idempotency-key': idempotencyKey }, repeatable: true, signal
    })
    return submitted.jobs.map(job => handle(job, resultOf(job.name)))
  }

  function handle (submitted: SubmittedJob, result: Schema<unknown, unknown> | undefined): JobHandle {
    const { jobId } = submitted
    return {
      ...submitted,
      wait: options => wait(jobId, { ...options, result }),
      watch: options => watch(jobId, { ...options, result }),
      get: options => get(jobId, options),
      cancel: options => cancel(jobId, options)
    }
  }

  async function get (jobId: string, { signal, ...query }: GetOptions = {}): Promise<Job> {
    return await call(http, 'GET', path`/jobs/${jobId}`, { query, signal })
  }

  function watch<S extends Schema<unknown, unknown>> (
    jobId: string, { result, ...options }: ResultOptions<S> = {}
  ): JobWatch<OutputOf<S>> {
    return watchJob(hub, jobId, options, job => result ? withResult(job, result) : job) as JobWatch<OutputOf<S>>
  }

  async function wait<S extends Schema<unknown, unknown>> (
    jobId: string, { timeout, signal, ...options }: WaitOptions<S> = {}
  ): Promise<CompletedJob<OutputOf<S>>> {
    const late = new AbortController()
    const timer = timeout === undefined
      ? undefined
      : setTimeout(() => late.abort(new TidingsError('timeout', `The job had not ended after ${timeout} ms`)), timeout)
    const any = anySignal(signal, late.signal)
    try {
      for await (const job of watch(jobId, { ...options, signal: any.signal })) {
        if (job.state === 'completed') return job as CompletedJob<OutputOf<S>>
        if (isFinal(job)) throw new JobFailedError(job)
      }
      throw new TidingsError('closed', 'The watch of the job was closed')
    } finally {
      clearTimeout(timer)
      any.dispose()
    }
  }

  function list ({ signal, ...query }: ListJobsQuery & RequestOptions = {}): Pages<JobSummary, JobList> {
    return createPages(http, '/jobs', query, signal, (page: JobList) => page.jobs)
  }

  async function cancel (jobId: string, { signal, queue }: JobOptions = {}): Promise<Job> {
    return await call(http, 'POST', path`/jobs/${jobId}/cancel`, { query: { queue }, signal })
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
    /** Newest first. `for await` reads all pages. */
    list,
    /** Removes a job that waits; asks the worker of one that is active to stop. It then fails. */
    cancel,
    /** Lets a failed job run once more. */
    retry: async (jobId: string, { signal, queue }: JobOptions = {}): Promise<Job> =>
      await call(http, 'POST', path`/jobs/${jobId}/retry`, { query: { queue }, signal }),
    /** How many jobs there are in each state. */
    counts: async ({ signal, ...query }: GetOptions = {}): Promise<JobCounts> =>
      await call(http, 'GET', '/jobs/counts', { query, signal }),
    /** What happened to a job, without progress. */
    timeline: async (jobId: string, { signal, ...query }: GetOptions = {}): Promise<JobTimelineEntry[]> =>
      (await call<{ events: JobTimelineEntry[] }>(http, 'GET', path`/jobs/${jobId}/events`, { query, signal })).events
  }
}

async function withResult (job: Job, schema: Schema<unknown, unknown>): Promise<Job> {
  if (job.state !== 'completed') return job
  return { ...job, result: await validate(schema, job.result, `The result of ${job.id}`) }
}

/** Pages of a list that goes on at `pagination.next`. */
export function createPages<Item, Page extends { pagination: { next: string | null } }> (
  http: Http, url: string, query: object, signal: AbortSignal | undefined, itemsOf: (page: Page) => Item[]
): Pages<Item, Page> {
  const page = async (at: object) => (await send(http, 'GET', url, { query: at, signal })).body as Page
  return {
    page: () => page(query),
    async * [Symbol.asyncIterator] () {
      let cursor: string | null | undefined
      const { page: _, ...filters } = query as { page?: number }
      do {
        const read: Page = await page(cursor === undefined ? query : { ...filters, cursor })
        yield * itemsOf(read)
        const { next } = read.pagination
        const isRepeated = next !== null && next === cursor
        if (isRepeated) throw new TidingsError('unexpected_response', 'The list repeats its cursor')
        cursor = next
      } while (cursor !== null)
    }
  }
}

/** 128 random bits. `crypto.randomUUID` is missing on pages without TLS. */
function randomKey (): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
