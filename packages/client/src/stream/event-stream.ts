import { anySignal, backoffMs, orAborted, sleep } from '../abort.ts'
import { TidingsError } from '../errors.ts'
import { isEventId, isNewer } from '../event-id.ts'
import type { Http } from '../http.ts'
import type { Gap, JobEvent } from '../types.ts'
import { jobEventOf, type Frame } from './frames.ts'
import type { Link, LinkEnd } from './link.ts'
import { openSse } from './sse.ts'
import { openWebSocket, type WebSocketConstructor } from './websocket.ts'

export type Channel = 'websocket' | 'sse' | 'poll'

export interface Status {
  /**
   * `live`: everything arrives as it happens. `recovering`: the connection was lost; it resumes where it was.
   * `polling`: no channel can push for now, jobs are asked for. `closed`: over, for `reason`.
   */
  state: 'idle' | 'connecting' | 'live' | 'recovering' | 'polling' | 'closed'
  channel?: Channel
  /** Why it is not live. */
  reason?: string
  /** When this state began, in milliseconds. */
  since: number
}

export interface EventStreamOptions {
  http: Http
  /** In the order in which they are tried. */
  channels: Channel[]
  WebSocket: WebSocketConstructor | undefined
  cursor: string | undefined
  /** `size`: of its text, in characters. */
  onItem: (item: JobEvent | Gap, size: number) => void
  /** The stream is complete from its cursor on; `isWhole`: nothing is missing before it. */
  onSession: (isWhole: boolean) => void
  onStatus: (status: Status) => void
  /** It does not come back. */
  onEnd: (error: TidingsError) => void
}

/** From the opening of a connection to its session; each frame restarts it, since a replay may be long. */
const OPEN_TIMEOUT_MS = 10_000
/** A channel that failed where another one worked is not tried for so long. */
const BLOCKED_MS = 300_000
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 30_000
/** What the server may ask for. */
const MAX_SERVER_RETRY_MS = 60_000
/** A connection that held for so long is no failure. */
const STABLE_MS = 5000
/** A token with which a session held for so long was accepted. */
const ACCEPTED_MS = 1000
/** Tokens that are refused one after the other. */
const MAX_REFUSED = 2

/** After these a replica that works is there already. */
const AT_ONCE = new Set(['draining', 'resync', 'slow', 'token renewed'])

const PAUSED = 'paused: events wait to be read'

type Listening = (event: string, listener: () => void) => void

type Connection = {
  token: string
  /** Once it is complete. */
  isLive: boolean
  liveAt: number
  /** What `session:end` said. */
  reason: string | undefined
  link: Link | undefined
  end: (reason: string) => void
  extend: () => void
}

/**
 * All events of a user, each once and in order, over whichever channel works. There is one cursor: an event at or below
 * it is dropped, and each new connection, of whatever channel, resumes after it. Where the server no longer has what
 * was missed, a gap says so.
 */
export class EventStream {
  /** The stream is complete up to here; undefined until the first session. */
  cursor: string | undefined
  status: Status = { state: 'idle', since: Date.now() }
  readonly #options: EventStreamOptions
  readonly #stopping = new AbortController()
  readonly #blockedUntil = new Map<Channel, number>()
  #connection: Connection | undefined
  #resumed: { promise: Promise<void>, resolve: () => void } | undefined
  #waking: AbortController | undefined
  #hasStarted = false

  constructor (options: EventStreamOptions) {
    this.#options = options
    this.cursor = options.cursor
  }

  start (): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.#setStatus({ state: 'connecting' })
    const page = globalThis as { addEventListener?: Listening, removeEventListener?: Listening, document?: Document }
    const wake = () => this.wake()
    page.addEventListener?.('online', wake)
    page.document?.addEventListener('visibilitychange', wake)
    this.#run()
      .catch((cause: unknown) => {
        if (this.#stopping.signal.aborted) return
        const error = cause instanceof TidingsError
          ? cause
          : new TidingsError('unexpected_response', String(cause), { cause })
        this.#setStatus({ state: 'closed', reason: error.message })
        this.#options.onEnd(error)
      })
      .finally(() => {
        page.removeEventListener?.('online', wake)
        page.document?.removeEventListener('visibilitychange', wake)
      })
  }

  /** Ends the connection and all that waits, at once. */
  stop (): void {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    this.#connection?.end('stopped')
    if (this.status.state !== 'closed') this.#setStatus({ state: 'closed', reason: 'closed by the client' })
  }

  /** Leaves the connection; `resume` comes back, and the server sends from the cursor on. */
  pause (): void {
    if (this.#resumed) return
    let resolve = () => {}
    const promise = new Promise<void>(_resolve => { resolve = _resolve })
    this.#resumed = { promise, resolve }
    this.#connection?.end(PAUSED)
  }

  resume (): void {
    this.#resumed?.resolve()
    this.#resumed = undefined
  }

  /** The network may be back: tries at once, or looks whether the connection still lives. */
  wake (): void {
    this.#waking?.abort()
    this.#connection?.link?.probe?.()
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    let failures = 0
    let refused = 0
    while (!signal.aborted) {
      if (this.#resumed) await orAborted(this.#resumed.promise, signal)
      const { how, token, liveMs } = await this.#round()
      if (signal.aborted) return
      if (how.error) throw how.error
      this.#setStatus({ state: 'recovering', reason: how.reason })
      if (how.reason === PAUSED) continue
      if (liveMs >= STABLE_MS) failures = 0
      if (liveMs >= ACCEPTED_MS) refused = 0
      if (how.isUnauthorized && token !== undefined) {
        if (++refused > MAX_REFUSED) throw new TidingsError('unauthorized', 'Token after token was refused')
        if (await this.#renew(token) && refused === 1) continue
      }
      const least = Math.min(how.retryMs ?? 0, MAX_SERVER_RETRY_MS)
      const delay = liveMs > 0 && AT_ONCE.has(how.reason) && failures === 0
        ? Math.random() * FIRST_RETRY_MS
        : Math.max(least, backoffMs(failures, FIRST_RETRY_MS, MAX_RETRY_MS))
      failures++
      await this.#pauseFor(delay)
    }
  }

  /** Whether there is a new token. Where the callback failed it is asked again later. */
  async #renew (used: string): Promise<boolean> {
    try {
      await this.#options.http.tokens.renew('rejected', used, this.#stopping.signal)
      return true
    } catch (err) {
      if (err instanceof TidingsError && err.code === 'token_failed') return false
      throw err
    }
  }

  async #pauseFor (ms: number): Promise<void> {
    this.#waking = new AbortController()
    const { signal, dispose } = anySignal(this.#stopping.signal, this.#waking.signal)
    await sleep(ms, signal).catch(() => {}) // woken, or stopped
    dispose()
    this.#waking = undefined
  }

  /** Tries the channels in turn until one has been live, or says why none can be. */
  async #round (): Promise<{ how: LinkEnd, token: string | undefined, liveMs: number }> {
    const failed: Channel[] = []
    let how: LinkEnd = { reason: 'no channel can push' }
    let token: string | undefined
    for (const channel of this.#usable()) {
      try {
        token = await this.#options.http.tokens.get(this.#stopping.signal)
      } catch (err) {
        if (!(err instanceof TidingsError) || err.code !== 'token_failed') throw err
        return { how: { reason: err.message }, token, liveMs: 0 }
      }
      const connection = await this.#connect(channel, token, () => {
        for (const blocked of failed) this.#blockedUntil.set(blocked, Date.now() + BLOCKED_MS)
      })
      how = connection.how
      if (connection.liveMs > 0 || how.isUnauthorized || how.error || this.#stopping.signal.aborted || this.#resumed) {
        return { how, token: connection.token, liveMs: connection.liveMs }
      }
      failed.push(channel)
    }
    return { how, token, liveMs: 0 }
  }

  #usable (): Channel[] {
    const { channels, WebSocket } = this.#options
    const able = channels.filter(channel => channel === 'sse' || (channel === 'websocket' && WebSocket !== undefined))
    const open = able.filter(channel => (this.#blockedUntil.get(channel) ?? 0) <= Date.now())
    return open.length > 0 ? open : able
  }

  async #connect (channel: Channel, token: string, onLive: () => void) {
    const { http, WebSocket } = this.#options
    const ending = new AbortController()
    let reason: string | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const connection: Connection = {
      token,
      isLive: false,
      liveAt: 0,
      reason: undefined,
      link: undefined,
      end: why => {
        reason ??= why
        ending.abort()
      },
      extend: () => {
        clearTimeout(timer)
        if (!connection.isLive) timer = setTimeout(() => connection.end('no session in time'), OPEN_TIMEOUT_MS)
      }
    }
    this.#connection = connection
    connection.extend()
    const onFrame = (frame: Frame) => {
      if (ending.signal.aborted) return
      const wasLive = connection.isLive
      this.#receive(frame, connection, channel)
      if (!wasLive && connection.isLive) onLive()
      if (!wasLive) connection.extend()
    }
    const linkOptions = { token, cursor: this.cursor, signal: ending.signal, onFrame }
    connection.link = channel === 'websocket' && WebSocket
      ? openWebSocket(WebSocket, http, linkOptions)
      : openSse(http, linkOptions)
    const how = await connection.link.ended
    clearTimeout(timer)
    this.#connection = undefined
    const given = reason ?? connection.reason
    return {
      how: {
        ...how,
        reason: given ?? how.reason,
        isUnauthorized: how.isUnauthorized === true || given === 'expired' || given === 'revoked'
      },
      token: connection.token,
      liveMs: connection.isLive ? Math.max(1, Date.now() - connection.liveAt) : 0
    }
  }

  #receive (frame: Frame, connection: Connection, channel: Channel): void {
    const { event, data } = frame
    if (event === 'session') return this.#begin(data, connection, channel)
    if (event === 'auth:expiring') return this.#refresh(connection)
    if (event === 'session:end') {
      connection.reason = typeof data.reason === 'string' ? data.reason.slice(0, 100) : 'ended'
      return
    }
    const item = jobEventOf(frame)
    if (!item || !isNewer(item.eventId, this.cursor)) return
    this.cursor = item.eventId
    this.#options.onItem(item, frame.size)
  }

  #begin ({ recovered, lastEventId }: Record<string, unknown>, connection: Connection, channel: Channel) {
    if (connection.isLive) return
    if (!isEventId(lastEventId)) return connection.end('a session without a position')
    connection.isLive = true
    connection.liveAt = Date.now()
    const from = this.cursor
    const isWhole = recovered === true && from !== undefined
    if (!isWhole || isNewer(lastEventId, from)) this.cursor = lastEventId
    if (!isWhole && from !== undefined) this.#options.onItem({ type: 'gap', from, to: lastEventId }, 0)
    this.#setStatus({ state: 'live', channel })
    this.#options.onSession(isWhole)
  }

  /** A new token before the old one ends: over the connection where that can, else with a new one. */
  #refresh (connection: Connection): void {
    const { http } = this.#options
    const { token: used } = connection
    http.tokens.renew('expiring', used, this.#stopping.signal).then(token => {
      if (this.#connection !== connection || connection.token !== used) return
      connection.token = token
      if (connection.link?.send) connection.link.send({ event: 'auth:refresh', data: token, id: 'refresh' })
      else connection.end('token renewed')
    }).catch(() => {}) // without a new one the server ends the session, and then it is asked for once more
  }

  #setStatus (status: NewStatus) {
    if (isSameStatus(this.status, status)) return
    this.status = { ...status, since: Date.now() }
    this.#options.onStatus(this.status)
  }
}

export type NewStatus = Omit<Status, 'since'>

export function isSameStatus (a: NewStatus, b: NewStatus): boolean {
  return a.state === b.state && a.channel === b.channel && a.reason === b.reason
}
