import type { TidingsError } from './errors.ts'
import type { StreamSettings } from './events.ts'
import type { Http } from './http.ts'
import { createLimiter } from './limiter.ts'
import { EventStream, isSameStatus, type NewStatus, type Status } from './stream/event-stream.ts'
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

/** What all watches of a client share: one stream of events, and the requests in flight. */
export class WatchHub {
  readonly http: Http
  readonly #settings: StreamSettings
  readonly #watchers = new Map<string, Set<Watcher>>()
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

  join (watcher: Watcher): void {
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

  leave (watcher: Watcher): void {
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

  #each (act: (watcher: Watcher) => void) {
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
