import { anySignal, backoffMs, onAbort, orAborted, sleep } from './abort.ts'
import { isRecord, isTransient, TidingsError } from './errors.ts'
import { isEventId, isNewer } from './event-id.ts'
import { path, send } from './http.ts'
import type { Job, JobEvent, JobProgressEvent } from './types.ts'
import { MAX_POLLS, type Watcher, type WatchHub } from './watch-hub.ts'

export interface WatchOptions {
  /** Where the ids of jobs that others add repeat. */
  queue?: string | undefined
  signal?: AbortSignal | undefined
}

/** Without a channel that pushes for so long, jobs are polled. */
const POLL_AFTER_MS = 3000
/** A poll is held by the server for so many seconds; where watches wait for their turn, for one. */
const HOLD_S = 20
const MIN_POLL_MS = 1000
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 30_000
/** What the server may ask for. */
const MAX_SERVER_RETRY_MS = 60_000
const STATES = ['waiting', 'delayed', 'active', 'completed', 'failed']

type Wanted = { after: string | undefined, known: string | undefined }

export const isFinal = ({ state }: Job): boolean => state === 'completed' || state === 'failed'

/**
 * Follows one job. Only the REST API says how a job stands and that it has ended: progress and `active` are taken from
 * events where they follow what is known without a gap; everything else is a reason to ask.
 */
export class JobWatcher implements Watcher {
  readonly jobId: string
  readonly #hub: WatchHub
  readonly #options: WatchOptions
  readonly #onChange: () => void
  readonly #closing = new AbortController()
  #job: Job | undefined
  #etag: string | undefined
  /** Asks: the answer has to know this event, or at least be of after it. */
  #wanted: Wanted | undefined
  #isAsking = false
  /** All events since a snapshot have come, or will. */
  #isCovered = false
  /** Came while the job was asked for. */
  #progress: JobProgressEvent | undefined
  #kick = new AbortController()
  isOver = false
  error: unknown

  constructor (hub: WatchHub, jobId: string, options: WatchOptions, onChange: () => void) {
    this.#hub = hub
    this.jobId = jobId
    this.#options = options
    this.#onChange = onChange
  }

  get job (): Job | undefined {
    return this.#job
  }

  start (): void {
    const { signal } = this.#options
    const { closed } = this.#hub.http
    const removers = [
      onAbort(signal, () => this.fail(signal?.reason)),
      onAbort(closed, () => this.fail(closed.reason))
    ]
    this.#run()
      .catch((err: unknown) => this.fail(err))
      .finally(() => {
        for (const remove of removers) remove()
        this.#hub.leave(this)
      })
  }

  close (): void {
    this.isOver = true
    this.#closing.abort()
    this.#hub.leave(this)
  }

  fail (err: unknown): void {
    if (this.isOver) return
    this.error = err
    this.close()
    this.#onChange()
  }

  onSession (isWhole: boolean): void {
    const { position } = this.#hub
    if (position === undefined || (isWhole && this.#isCovered)) return this.kick()
    this.#isCovered = true
    // A snapshot that knows a later event of the job lacks nothing before it.
    if (this.#isAsking || isNewer(position, this.#job?.lastEventId)) this.#ask({ after: position })
    else this.kick()
  }

  onEvent (event: JobEvent): void {
    const job = this.#job
    if (job && event.type !== 'state' && event.queue !== job.queue) return
    if (!isNewer(event.eventId, job?.lastEventId)) return
    if (event.type === 'progress' && !event.progressTruncated) {
      if (this.#isAsking || !job) this.#progress = event
      else this.#accept(progressed(job, event))
    } else if (event.type === 'state' && job && !this.#isAsking && event.name === job.name) {
      this.#accept(moved(job, event))
    } else {
      this.#ask({ after: event.eventId, known: event.eventId })
    }
  }

  kick (): void {
    this.#kick.abort()
  }

  #ask ({ after, known }: Partial<Wanted>) {
    const wanted = this.#wanted
    this.#wanted = {
      after: after !== undefined && isNewer(after, wanted?.after) ? after : wanted?.after,
      known: known !== undefined && isNewer(known, wanted?.known) ? known : wanted?.known
    }
    this.kick()
  }

  async #run (): Promise<void> {
    this.#wanted = { after: undefined, known: undefined }
    let failures = 0
    let hasJoined = false
    for (;;) {
      try {
        if (this.#wanted) await this.#fetch(this.#wanted)
        else if (!hasJoined) {
          hasJoined = true
          this.#hub.join(this)
          this.onSession(false)
        } else if (this.#hub.isLive) await this.#kicked()
        else await this.#poll()
        failures = 0
      } catch (err) {
        if (this.#closing.signal.aborted) return
        if (!isTransient(err)) throw err
        this.#hub.polled(false)
        const least = Math.min(err.retryAfterMs ?? 0, MAX_SERVER_RETRY_MS)
        const delay = backoffMs(failures++, FIRST_RETRY_MS, MAX_RETRY_MS)
        await sleep(Math.max(least, delay), this.#closing.signal).catch(() => {})
      }
      if (this.isOver) return
      if (this.#job && isFinal(this.#job)) {
        this.close()
        return this.#onChange()
      }
    }
  }

  async #fetch (wanted: Wanted): Promise<void> {
    this.#isAsking = true
    try {
      await this.#get({ after: wanted.after }, this.#closing.signal)
      const { known } = wanted
      if (known !== undefined && isNewer(known, this.#job?.lastEventId)) {
        throw new TidingsError('unavailable', `The job was answered as before the event ${known}`)
      }
      if (this.#wanted === wanted) this.#wanted = undefined
    } finally {
      this.#isAsking = false
    }
    const [job, progress] = [this.#job, this.#progress]
    this.#progress = undefined
    if (!job || !progress || isFinal(job)) return
    if (isNewer(progress.eventId, job.lastEventId)) this.#accept(progressed(job, progress))
  }

  /** Until there is something to do. */
  async #kicked (ms?: number): Promise<void> {
    if (this.#kick.signal.aborted) this.#kick = new AbortController()
    const { signal, dispose } = anySignal(this.#closing.signal, this.#kick.signal)
    if (this.#wanted || this.isOver) return dispose()
    const waiting = ms === undefined ? orAborted(new Promise<void>(() => {}), signal) : sleep(ms, signal)
    await waiting.catch(() => {})
    dispose()
  }

  async #poll (): Promise<void> {
    const { silentSince, size, polls } = this.#hub
    if (!polls) return await this.#kicked()
    const graceMs = silentSince + POLL_AFTER_MS - Date.now()
    if (graceMs > 0 && this.#hub.status.state !== 'polling') return await this.#kicked(graceMs)
    this.#kick = new AbortController()
    const kick = this.#kick.signal
    const { signal, dispose } = anySignal(this.#closing.signal, kick)
    const began = Date.now()
    try {
      await this.#get({ wait: size > MAX_POLLS ? 1 : HOLD_S }, signal)
      this.#hub.polled(true)
      const job = this.#job
      if (!job || !isFinal(job)) await sleep(Math.max(0, began + MIN_POLL_MS - Date.now()), signal)
    } catch (err) {
      if (!kick.aborted) throw err
    } finally {
      dispose()
    }
  }

  async #get (query: { after?: string | undefined, wait?: number }, signal: AbortSignal): Promise<void> {
    const etag = query.wait === undefined ? undefined : this.#etag
    const { http } = this.#hub
    const limited = query.wait === undefined ? this.#hub.request : this.#hub.poll
    const { status, headers, body } = await limited(signal, () => send(http, 'GET', path`/jobs/${this.jobId}`, {
      query: { queue: this.#options.queue, ...query },
      headers: { 'if-none-match': etag },
      timeoutMs: http.timeoutMs + (query.wait ?? 0) * 1000,
      retries: 0,
      signal
    }))
    if (status === 304) return
    if (!isJob(body)) throw new TidingsError('unexpected_response', 'The response is no job')
    this.#etag = headers.get('etag') ?? undefined
    const { lastEventId } = this.#job ?? {}
    if (lastEventId && isNewer(lastEventId, body.lastEventId)) return // older than what is known
    this.#accept(body)
  }

  #accept (job: Job) {
    const known = this.#job
    this.#job = job
    const isSame = known?.lastEventId && known.lastEventId === job.lastEventId && known.state === job.state
    // The loop reports the end.
    if (!isSame && !isFinal(job)) this.#onChange()
  }
}

function progressed (job: Job, { progress, eventId }: JobProgressEvent): Job {
  const changed = { ...job, progress, lastEventId: eventId }
  delete changed.progressTruncated
  return changed
}

/** As the services have it: a job that a worker takes has begun, and was taken once more. */
function moved (job: Job, { state, timestamp, eventId }: JobEvent & { type: 'state' }): Job {
  const changed = { ...job, state, lastEventId: eventId }
  if (state !== 'active') return changed
  return {
    ...changed,
    attempts: { ...job.attempts, made: job.attempts.made + 1 },
    timestamp: { ...job.timestamp, started: timestamp }
  }
}

function isJob (body: unknown): body is Job {
  if (!isRecord(body) || !isRecord(body.timestamp) || !isRecord(body.attempts)) return false
  const { id, state, lastEventId } = body
  return typeof id === 'string' && STATES.includes(state as string) && (lastEventId === null || isEventId(lastEventId))
}
