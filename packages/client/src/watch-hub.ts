import { onAbort } from './abort.ts'
import type { StreamSettings } from './events.ts'
import { createLimiter } from './limiter.ts'
import { createEventStream, type EventStream } from './stream/event-stream.ts'
import { createStatus, type Status } from './stream/status.ts'
import type { Gap, JobEvent } from './types.ts'

/** Requests of all watches at a time, and polls: browsers have six connections to a server of HTTP/1.1. */
const MAX_REQUESTS = 3
export const MAX_POLLS = 2

/** In place of the id of a job. */
const ALL = ''

/** What the hub needs of a watch of one job, or of a listener to all. */
export interface Watcher {
  readonly jobId: string
  /** Gaps come to listeners to all. */
  onEvent: (event: JobEvent | Gap) => void
  /** The stream is complete from its cursor on. */
  onSession?: (isWhole: boolean) => void
  /** Something has changed: what waits looks again. */
  kick?: () => void
  fail: (reason: unknown) => void
}

export type WatchHub = ReturnType<typeof createWatchHub>

/** What all watches of a client share: one stream of events, and the requests in flight. */
export function createWatchHub (settings: StreamSettings, onStatus: (status: Status) => void) {
  const { http, channels } = settings
  const watchers = new Map<string, Set<Watcher>>()
  const status = createStatus(onStatus)
  const polls = channels.includes('poll')
  /** With those that have not joined yet: the connection is kept for them too. */
  const begun = new Set<Watcher>()
  let stream: EventStream | undefined
  let silentSince = Date.now()

  onAbort([http.closed], reason => each(watcher => watcher.fail(reason)))

  const isLive = () => stream?.status.state === 'live'

  function begin (watcher: Watcher) {
    begun.add(watcher)
    if (begun.size === MAX_POLLS + 1) each(other => other.kick?.()) // they hold their polls for less from now on
  }

  /** From now on it gets the events of its job. */
  function join (watcher: Watcher) {
    const { jobId } = watcher
    watchers.set(jobId, (watchers.get(jobId) ?? new Set()).add(watcher))
    if (status.current.state !== 'idle') return
    const canPush = channels.some(channel => channel !== 'poll')
    silentSince = canPush ? Date.now() : 0
    status.set('connecting')
    if (!canPush) return
    const own = stream = createEventStream({
      ...settings,
      cursor: undefined,
      onItem: item => {
        for (const key of [(item as JobEvent).jobId, ALL]) {
          for (const watcher of watchers.get(key) ?? []) watcher.onEvent(item)
        }
      },
      onSession: isWhole => each(watcher => watcher.onSession?.(isWhole)),
      onStatus: status => { if (stream === own) changed(status) },
      onEnd: error => {
        // Without rights to the stream, or at a server that has none, jobs can still be asked for.
        if (error.code === 'unauthorized' || !polls) each(watcher => watcher.fail(error))
      }
    })
    stream.start()
  }

  function leave (watcher: Watcher) {
    const { jobId } = watcher
    const others = watchers.get(jobId)
    others?.delete(watcher)
    if (others?.size === 0) watchers.delete(jobId)
    begun.delete(watcher)
    if (begun.size > 0) return
    const last = stream
    stream = undefined
    last?.stop()
    status.set('idle')
  }

  /** Listens to all events, and keeps the connection, until what it returns is called. */
  function listen (onEvent: Watcher['onEvent']): () => void {
    http.closed.throwIfAborted()
    const remove = () => leave(watcher)
    const watcher: Watcher = { jobId: ALL, onEvent, fail: remove }
    begin(watcher)
    join(watcher)
    return remove
  }

  /** A poll has been answered, or not. */
  function polled (succeeded: boolean) {
    if (isLive() || begun.size === 0) return
    if (succeeded) status.set('polling', stream?.status.reason, 'poll')
    else if (status.current.state === 'polling') status.set('recovering', 'no response')
  }

  function each (act: (watcher: Watcher) => void) {
    for (const watcher of [...begun]) act(watcher)
  }

  function changed ({ state, reason, channel }: Status) {
    const { state: before } = status.current
    if (state !== 'live' && before === 'live') silentSince = Date.now()
    if (state === 'live' || before !== 'polling') status.set(state, reason, channel)
    each(watcher => watcher.kick?.())
  }

  return {
    http,
    begin,
    join,
    leave,
    listen,
    polled,
    polls,
    request: createLimiter(MAX_REQUESTS),
    poll: createLimiter(MAX_POLLS),
    get status () { return status.current },
    /** All events after it reach the watchers. */
    get position () { return isLive() ? stream?.cursor : undefined },
    /** Since when nothing pushes. */
    get silentSince () { return silentSince },
    get size () { return begun.size }
  }
}
