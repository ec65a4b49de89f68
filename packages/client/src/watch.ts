import { anySignal, backoffMs, onAbort, orAborted, sleep } from './abort.ts'
import { isRecord, isTransient, TidingsError } from './errors.ts'
import { disposable, type StreamSettings } from './events.ts'
import { isEventId, isNewer } from './event-id.ts'
import { path, send, type Http } from './http.ts'
import { EventStream, isSameStatus, type NewStatus, type Status } from './stream/event-stream.ts'
import type { Job, JobEvent, JobProgressEvent } from './types.ts'

/** A job as it changes, to be read with `for await`: as it stands first, and its end last. */
export interface JobWatch<Result = unknown> extends AsyncIterableIterator<Job<Result>, undefined, undefined> {
  close: () => void
  return: () => Promise<IteratorReturnResult<undefined>>
  [Symbol.asyncDispose]: () => Promise<void>
}

export interface WatchOptions {
  /** Where the ids of jobs that others add repeat. */
  queue?: string | undefined
  signal?: AbortSignal | undefined
}

/** Without a channel that pushes for so long, jobs are polled. */
const POLL_AFTER_MS = 3000
/** Requests of all watches at a time, and polls: browsers have six connections to a server of HTTP/1.1. */
const MAX_REQUESTS = 3
const MAX_POLLS = 2
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

/** Runs at most so many at a time, in the order in which they come. */
function createLimiter (max: number) {
  const queue: (() => void)[] = []
  let running = 0

  function handOn () {
    const enter = queue.shift()
    if (enter) enter()
    else running--
  }

  return async function run<T> (signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (running < max) running++
    else {
      let enter = () => {}
      const turn = new Promise<void>(resolve => { enter = resolve })
      queue.push(enter)
      await orAborted(turn, signal).catch((err: unknown) => {
        const at = queue.indexOf(enter)
        if (at >= 0) queue.splice(at, 1)
        else handOn()
        throw err
      })
    }
    try {
      return await task()
    } finally {
      handOn()
    }
  }
}

/** What all watches of a client share: one stream of events, and the requests in flight. */
export class WatchHub {
  readonly http: Http
  readonly #settings: StreamSettings
  readonly #watchers = new Map<string, Set<JobWatcher>>()
  readonly #onStatus: (status: Status) => void
  readonly request = createLimiter(MAX_REQUESTS)
  readonly poll = createLimiter(MAX_POLLS)
  #stream: EventStream | undefined
  status: Status = { state: 'idle', since: Date.now() }
  /** Since when nothing pushes. */
  silentSince = Date.now()
  size = 0

  constructor (settings: StreamSettings, onStatus: (status: Status) => void) {
    this.http = settings.http
    this.#settings = settings
    this.#onStatus = onStatus
  }

  get isLive (): boolean {
    return this.#stream?.status.state === 'live'
  }

  /** All events after it reach the watchers. */
  get position (): string | undefined {
    return this.isLive ? this.#stream?.cursor : undefined
  }

  get polls (): boolean {
    return this.#settings.channels.includes('poll')
  }

  join (watcher: JobWatcher): void {
    const watchers = this.#watchers.get(watcher.jobId) ?? new Set()
    this.#watchers.set(watcher.jobId, watchers.add(watcher))
    this.size++
    if (this.size === MAX_POLLS + 1) this.#each(other => other.kick()) // they hold their polls for less from now on
    if (this.size > 1) return
    const canPush = this.#settings.channels.some(channel => channel !== 'poll')
    this.silentSince = canPush ? Date.now() : 0
    this.#setStatus({ state: 'connecting' })
    if (!canPush) return
    const stream: EventStream = new EventStream({
      ...this.#settings,
      cursor: undefined,
      onItem: item => { if (item.type !== 'gap') this.#dispatch(item) },
      onSession: isWhole => this.#each(watcher => watcher.onSession(isWhole)),
      onStatus: status => { if (this.#stream === stream) this.#changed(status) },
      onEnd: error => {
        // Without rights to the stream, or at a server that has none, jobs can still be asked for.
        if (error.code === 'unauthorized' || !this.polls) this.#each(watcher => watcher.fail(error))
      }
    })
    this.#stream = stream
    stream.start()
  }

  leave (watcher: JobWatcher): void {
    const watchers = this.#watchers.get(watcher.jobId)
    if (!watchers?.delete(watcher)) return
    if (watchers.size === 0) this.#watchers.delete(watcher.jobId)
    this.size--
    if (this.size > 0) return
    const stream = this.#stream
    this.#stream = undefined
    stream?.stop()
    this.#setStatus({ state: 'idle' })
  }

  /** A poll has been answered, or not. */
  polled (succeeded: boolean): void {
    if (this.isLive || this.size === 0) return
    const { reason } = this.#stream?.status ?? {}
    if (succeeded) this.#setStatus({ state: 'polling', channel: 'poll', ...(reason !== undefined && { reason }) })
    else if (this.status.state === 'polling') this.#setStatus({ state: 'recovering', reason: 'polls get no response' })
  }

  #dispatch (event: JobEvent) {
    for (const watcher of this.#watchers.get(event.jobId) ?? []) watcher.onEvent(event)
  }

  #each (act: (watcher: JobWatcher) => void) {
    for (const watchers of [...this.#watchers.values()]) for (const watcher of [...watchers]) act(watcher)
  }

  #changed (status: Status) {
    const { state } = this.status
    if (status.state !== 'live' && state === 'live') this.silentSince = Date.now()
    if (status.state === 'live' || state !== 'polling') this.#setStatus(status)
    this.#each(watcher => watcher.kick())
  }

  #setStatus (status: NewStatus) {
    if (isSameStatus(this.status, status)) return
    this.status = { ...status, since: Date.now() }
    this.#onStatus(this.status)
  }
}

/**
 * Follows one job. Only the REST API says how a job stands and that it has ended: progress and `active` are taken from
 * events where they follow what is known without a gap; everything else is a reason to ask.
 */
export class JobWatcher {
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

  /** The stream is complete from its cursor on. */
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

  /** Something has changed: what waits looks again. */
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

type Show = (job: Job) => Job | Promise<Job>

/** A job's snapshots, one after the other, each as `show` has it; a slow reader gets the newest. */
export function watchJob (hub: WatchHub, jobId: string, options: WatchOptions, show: Show = job => job): JobWatch {
  let unread: Job | undefined
  let isClosed = false
  let hasStarted = false
  const readers: { resolve: (result: IteratorResult<Job, undefined>) => void, reject: (err: unknown) => void }[] = []
  const watcher = new JobWatcher(hub, jobId, options, () => {
    if (watcher.error === undefined) unread = watcher.job
    settle()
  })

  function settle () {
    while (readers.length > 0) {
      if (!isClosed && unread === undefined && !watcher.isOver) return
      const { resolve, reject } = readers.shift() as typeof readers[number]
      const { error } = watcher
      if (!isClosed && error !== undefined) {
        isClosed = true
        reject(error)
      } else if (!isClosed && unread !== undefined) {
        // Not made a promise where it is none: what is there is read at once.
        const shown = show(unread)
        unread = undefined
        if (shown instanceof Promise) shown.then(value => resolve({ done: false, value }), reject)
        else resolve({ done: false, value: shown })
      } else {
        resolve({ done: true, value: undefined })
      }
    }
  }

  function close () {
    isClosed = true
    watcher.close()
    settle()
  }

  const watch: Omit<JobWatch, typeof Symbol.asyncDispose> = {
    [Symbol.asyncIterator]: () => watch as JobWatch,
    next: () => new Promise((resolve, reject) => {
      readers.push({ resolve, reject })
      if (!hasStarted && !isClosed) {
        hasStarted = true
        watcher.start()
      }
      settle()
    }),
    close,
    return: async () => {
      close()
      return { done: true, value: undefined }
    }
  }
  return disposable(watch, close) as JobWatch
}
