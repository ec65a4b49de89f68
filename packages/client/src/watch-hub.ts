import type { TidingsError } from './errors.ts'
import type { StreamSettings } from './events.ts'
import { createLimiter } from './limiter.ts'
import { createEventStream, type EventStream } from './stream/event-stream.ts'
import { createStatus, type Status } from './stream/status.ts'
import type { JobEvent } from './types.ts'

/** Requests of all watches at a time, and polls: browsers have six connections to a server of HTTP/1.1. */
const MAX_REQUESTS = 3
export const MAX_POLLS = 2

/** What the hub needs of a watch of one job. */
export interface Watcher {
  readonly jobId: string
  onEvent: (event: JobEvent) => void
  /** The stream is complete from its cursor on. */
  onSession: (isWhole: boolean) => void
  /** Something has changed: what waits looks again. */
  kick: () => void
  fail: (error: TidingsError) => void
}

export type WatchHub = ReturnType<typeof createWatchHub>

/** What all watches of a client share: one stream of events, and the requests in flight. */
export function createWatchHub (settings: StreamSettings, onStatus: (status: Status) => void) {
  const { http, channels } = settings
  const watchers = new Map<string, Set<Watcher>>()
  const status = createStatus(onStatus)
  const polls = channels.includes('poll')
  /** All that have begun; the connection is kept for those that have not joined yet. */
  const begun = new Set<Watcher>()
  let stream: EventStream | undefined
  let silentSince = Date.now()
  let size = 0

  const isLive = () => stream?.status.state === 'live'

  function join (watcher: Watcher) {
    const { jobId } = watcher
    watchers.set(jobId, (watchers.get(jobId) ?? new Set()).add(watcher))
    size++
    if (size === MAX_POLLS + 1) each(other => other.kick()) // they hold their polls for less from now on
    if (status.current.state !== 'idle') return
    const canPush = channels.some(channel => channel !== 'poll')
    silentSince = canPush ? Date.now() : 0
    status.set('connecting')
    if (!canPush) return
    const own = stream = createEventStream({
      ...settings,
      cursor: undefined,
      onItem: item => {
        if (item.type !== 'gap') for (const watcher of watchers.get(item.jobId) ?? []) watcher.onEvent(item)
      },
      onSession: isWhole => each(watcher => watcher.onSession(isWhole)),
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
    if (others?.delete(watcher)) size--
    if (others?.size === 0) watchers.delete(jobId)
    begun.delete(watcher)
    if (begun.size > 0) return
    const last = stream
    stream = undefined
    last?.stop()
    status.set('idle')
  }

  /** A poll has been answered, or not. */
  function polled (succeeded: boolean) {
    if (isLive() || size === 0) return
    if (succeeded) status.set('polling', stream?.status.reason, 'poll')
    else if (status.current.state === 'polling') status.set('recovering', 'polls get no response')
  }

  function each (act: (watcher: Watcher) => void) {
    for (const all of [...watchers.values()]) for (const watcher of [...all]) act(watcher)
  }

  function changed ({ state, reason, channel }: Status) {
    const { state: before } = status.current
    if (state !== 'live' && before === 'live') silentSince = Date.now()
    if (state === 'live' || before !== 'polling') status.set(state, reason, channel)
    each(watcher => watcher.kick())
  }

  return {
    http,
    begun,
    join,
    leave,
    polled,
    polls,
    request: createLimiter(MAX_REQUESTS),
    poll: createLimiter(MAX_POLLS),
    get status () { return status.current },
    get isLive () { return isLive() },
    /** All events after it reach the watchers. */
    get position () { return isLive() ? stream?.cursor : undefined },
    /** Since when nothing pushes. */
    get silentSince () { return silentSince },
    get size () { return size }
  }
}
