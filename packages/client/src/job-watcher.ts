import { backoffMs, createPause, createScope, onAbort, type Scope } from './abort.ts'
import { isRecord, isTransient, TidingsError } from './errors.ts'
import { isEventId, isNewer } from './event-id.ts'
import { send } from './http.ts'
import { isOpenState } from './stream/frames.ts'
import type { Gap, Job, JobEvent, JobProgressEvent, JobStateEvent } from './types.ts'
import { MAX_POLLS, type Watcher, type WatchHub } from './watch-hub.ts'

export interface WatchOptions {
  /** Where the ids of jobs that others add repeat. */
  queue?: string | undefined
  /** What follows this event only, as after a retry: how the job stood up to it is not shown, and is not its end. */
  after?: string | null | undefined
  signal?: AbortSignal | undefined
}

/** Without a channel that pushes for so long, jobs are polled. */
const POLL_AFTER_MS = 3000
/** A poll is held by the server for so many seconds; where watches wait for their turn, for one. */
const HOLD_S = 20
const MIN_POLL_MS = 1000

type Wanted = { after?: string | undefined, isEvent?: boolean }

export interface JobWatcher extends Watcher {
  start: () => void
  close: () => void
}

export interface JobWatcherListeners {
  /** How the job stands, whenever that changes, and its end. */
  onChange: (job: Job) => void
  /** Nothing more comes. Without an error the job has ended. */
  onEnd: (error?: unknown) => void
}

export const isFinal = ({ state }: Job): boolean => state === 'completed' || state === 'failed'

/**
 * Follows one job. Only the REST API says how a job stands and that it has ended: progress and `active` are taken from
 * events where they follow what is known without a gap; everything else is a reason to ask.
 */
export function createJobWatcher (
  hub: WatchHub, jobId: string, { queue, after, signal }: WatchOptions, { onChange, onEnd }: JobWatcherListeners
): JobWatcher {
  const { http } = hub
  const closing = new AbortController()
  const { signal: closed } = closing
  const pause = createPause(closed)
  let job: Job | undefined
  let etag: string | null | undefined
  /** Asks: the answer has to be of after this event, and to know it if it is the job's own. */
  let wanted: Wanted | undefined = {}
  let isAsking = false
  /** All events since a snapshot have come, or will. */
  let isCovered = false
  /** Came while the job was asked for. */
  let progress: JobProgressEvent | undefined
  let polling: Scope | undefined

  const watcher: JobWatcher = { jobId, start, close, fail, kick, onSession, onEvent }

  function start () {
    hub.begin(watcher)
    const remove = onAbort([signal], fail)
    run().catch(fail).finally(() => {
      remove()
      close()
    })
  }

  function close () {
    closing.abort()
    hub.leave(watcher)
  }

  function fail (reason: unknown) {
    if (closed.aborted) return
    close()
    onEnd(reason)
  }

  function onSession (isWhole: boolean) {
    const { position } = hub
    if (position !== undefined && !(isWhole && isCovered)) {
      isCovered = true
      // A snapshot that knows a later event of the job lacks nothing before it.
      if (isAsking || isNewer(position, job?.lastEventId)) return ask(position)
    }
    kick()
  }

  function onEvent (item: JobEvent | Gap) {
    const event = item as JobEvent // gaps have no job
    if (job && event.type !== 'state' && event.queue !== job.queue) return
    const { eventId } = event
    if (!isNewer(eventId, job?.lastEventId)) return
    if (event.type === 'progress' && !event.progressTruncated) {
      if (isAsking || !job) progress = event
      else accept(changed(job, event))
    } else if (event.type === 'state' && job && !isAsking && event.name === job.name) {
      accept(changed(job, event))
    } else {
      ask(eventId, true)
    }
  }

  function kick () {
    polling?.abort()
    pause.wake()
  }

  function ask (after: string, isEvent = false) {
    if (isNewer(after, wanted?.after)) wanted = { after, isEvent }
    kick()
  }

  async function run () {
    let failures = 0
    let hasJoined = false
    for (;;) {
      try {
        if (wanted) await fetchWanted(wanted)
        else if (!hasJoined) {
          hasJoined = true
          hub.join(watcher)
          onSession(false)
        } else if (hub.position !== undefined) await pause.wait()
        else await poll()
        failures = 0
      } catch (err) {
        if (closed.aborted) return
        if (!isTransient(err)) throw err
        hub.polled(false)
        // A pause of its own, which nothing cuts short but the end.
        await createPause(closed).wait(backoffMs(failures++, err.retryAfterMs))
      }
      if (closed.aborted) return
      if (job && isFinal(job) && isNewer(job.lastEventId, after)) {
        close()
        onChange(job)
        return onEnd()
      }
    }
  }

  async function fetchWanted (now: Wanted) {
    isAsking = true
    try {
      const { after, isEvent } = now
      await get({ after }, closed)
      if (isEvent && isNewer(after, job?.lastEventId)) {
        throw new TidingsError('unavailable', 'The response is old')
      }
      if (wanted === now) wanted = undefined
    } finally {
      isAsking = false
    }
    const last = progress
    progress = undefined
    if (job && last && !isFinal(job) && isNewer(last.eventId, job.lastEventId)) accept(changed(job, last))
  }

  async function poll () {
    if (!hub.polls) return await pause.wait()
    const graceMs = hub.silentSince + POLL_AFTER_MS - Date.now()
    if (graceMs > 0 && hub.status.state !== 'polling') return await pause.wait(graceMs)
    const { signal, dispose } = polling = createScope([closed])
    const began = Date.now()
    try {
      await get({ wait: hub.size > MAX_POLLS ? 1 : HOLD_S }, signal)
      hub.polled(true)
      if (!job || !isFinal(job)) await pause.wait(Math.max(0, began + MIN_POLL_MS - Date.now()))
    } catch (err) {
      if (!signal.aborted) throw err
    } finally {
      dispose()
      polling = undefined
    }
  }

  async function get (query: { after?: string | undefined, wait?: number }, signal: AbortSignal) {
    const { wait = 0 } = query
    const { status, etag: newTag, body } = await (wait ? hub.poll : hub.request)(signal, () =>
      send({ ...http, retries: 0, timeoutMs: http.timeoutMs + wait * 1000 }, 'GET', `/jobs/${encodeURIComponent(jobId)}`, {
        query: { queue, ...query },
        headers: { 'if-none-match': wait ? etag : undefined },
        signal
      }))
    if (status === 304) return
    if (!isJob(body)) throw new TidingsError('unexpected_response', 'The response is no job')
    etag = newTag
    const known = job?.lastEventId
    if (!known || !isNewer(known, body.lastEventId)) accept(body) // else it is older than what is known
  }

  function accept (next: Job) {
    const { lastEventId, state } = next
    const isSame = job?.lastEventId && job.lastEventId === lastEventId && job.state === state
    job = next
    // The loop reports the end.
    if (!isSame && !isFinal(next) && isNewer(lastEventId, after)) onChange(next)
  }

  return watcher
}

/** As the services have it: a job that a worker takes has begun, and was taken once more. */
function changed (job: Job, event: JobProgressEvent | JobStateEvent): Job {
  const next = { ...job, lastEventId: event.eventId }
  if (event.type === 'progress') {
    next.progress = event.progress
    delete next.progressTruncated
  } else {
    next.state = event.state
    if (next.state === 'active') {
      next.attempts = { ...job.attempts, made: job.attempts.made + 1 }
      next.timestamp = { ...job.timestamp, started: event.timestamp }
    }
  }
  return next
}

function isJob (body: unknown): body is Job {
  if (!isRecord(body) || !isRecord(body.timestamp) || !isRecord(body.attempts)) return false
  const { id, state, lastEventId } = body
  return typeof id === 'string' && (isOpenState(state) || isFinal(body as Job)) &&
    (lastEventId === null || isEventId(lastEventId))
}
