import { backoffMs, createPause, createScope } from '../abort.ts'
import { TidingsError } from '../errors.ts'
import { isEventId, isNewer } from '../event-id.ts'
import type { Http } from '../http.ts'
import type { BulkProgress, Gap, JobEvent } from '../types.ts'
import { jobEventOf, type Frame } from './frames.ts'
import type { Link, LinkEnd } from './link.ts'
import { readSse } from './sse.ts'
import { createStatus, type Status } from './status.ts'
import { openWebSocket, type WebSocketConstructor } from './websocket.ts'

export type Channel = 'websocket' | 'sse' | 'poll'

export interface EventStreamOptions {
  http: Http
  /** In the order in which they are tried. */
  channels: Channel[]
  WebSocket: WebSocketConstructor | null | undefined
  cursor: string | undefined
  /** `size`: of its text, in characters. */
  onItem: (item: JobEvent | Gap, size: number) => void
  /** The stream is complete from its cursor on; `isWhole`: nothing is missing before it. */
  onSession: (isWhole: boolean) => void
  onStatus?: ((status: Status) => void) | undefined
  onBulk?: ((progress: BulkProgress) => void) | undefined
  /** It does not come back. */
  onEnd: (error: TidingsError) => void
}

/** From the opening of a connection to its session; each frame restarts it, since a replay may be long. */
const OPEN_TIMEOUT_MS = 10_000
/** A channel that failed where another one worked is not tried for so long. */
const BLOCKED_MS = 300_000
/** Clients of a replica that goes are spread over so long. */
const SPREAD_MS = 500
/** A connection that held for so long is no failure. */
const STABLE_MS = 5000
/** A token with which a session held for so long was accepted. */
const ACCEPTED_MS = 1000
/** Tokens that are refused one after the other. */
const MAX_REFUSED = 2

/** After these a replica that works is there already. */
const AT_ONCE = ['draining', 'resync', 'slow', 'token renewed']

const PAUSED = 'paused'

type Listening = (event: string, listener: () => void, options: { signal: AbortSignal }) => void

/** A token function that fails is asked again later. */
function laterWithToken (err: unknown): Round {
  if (err instanceof TidingsError && err.code === 'token_failed') return { reason: err.message, liveMs: 0 }
  throw err
}

/** How a connection ended, with which token, and for how long it was live. */
type Round = LinkEnd & { token?: string, liveMs: number }

export interface EventStream {
  /** The stream is complete up to here; undefined until the first session. */
  readonly cursor: string | undefined
  readonly status: Status
  start: () => void
  /** Ends the connection and all that waits, at once. */
  stop: () => void
  /** Leaves the connection; `resume` comes back, and the server sends from the cursor on. */
  pause: () => void
  resume: () => void
}

/**
 * All events of a user, each once and in order, over whichever channel works. There is one cursor: an event at or below
 * it is dropped, and each new connection, of whatever channel, resumes after it. Where the server no longer has what
 * was missed, a gap says so.
 */
export function createEventStream (options: EventStreamOptions): EventStream {
  const { http, channels, WebSocket, onItem, onSession, onEnd } = options
  const stopping = new AbortController()
  const { signal: stopped } = stopping
  const status = createStatus(options.onStatus)
  const pausing = createPause(stopped)
  const blockedUntil = new Map<Channel, number>()
  let { cursor } = options
  let isPaused = false
  /** Of the connection there is. */
  let endConnection: ((reason?: string) => void) | undefined
  let link: Link | undefined

  function start () {
    status.set('connecting')
    const page = globalThis as { addEventListener?: Listening, document?: Document }
    const listening = { signal: stopped }
    page.addEventListener?.('online', wake, listening)
    page.document?.addEventListener?.('visibilitychange', wake, listening)
    run().catch((error: TidingsError) => {
      if (stopped.aborted) return
      stopping.abort()
      status.set('closed', error.message)
      onEnd(error)
    })
  }

  function stop () {
    if (stopped.aborted) return
    stopping.abort()
    endConnection?.()
    status.set('closed', 'closed')
  }

  function pause () {
    isPaused = true
    endConnection?.(PAUSED)
  }

  function resume () {
    if (isPaused) pausing.wake()
    isPaused = false
  }

  /** The network may be back: tries at once, or looks whether the connection still lives. */
  function wake () {
    pausing.wake()
    link?.probe?.()
  }

  async function run () {
    let failures = 0
    let refused = 0
    while (!stopped.aborted) {
      if (isPaused) {
        await pausing.wait()
        continue
      }
      const { reason, token, liveMs, error, isUnauthorized, retryMs } = await round().catch(laterWithToken)
      if (stopped.aborted) return
      if (error) throw error
      status.set('recovering', reason)
      if (reason === PAUSED) continue
      if (liveMs >= STABLE_MS) failures = 0
      if (liveMs >= ACCEPTED_MS) refused = 0
      if (isUnauthorized && token !== undefined) {
        if (++refused > MAX_REFUSED) throw new TidingsError('unauthorized', 'The token was refused')
        const renewed = await http.tokens.renew('rejected', token, stopped).catch(laterWithToken)
        if (typeof renewed === 'string' && refused === 1) continue
      }
      await pausing.wait(liveMs > 0 && AT_ONCE.includes(reason) && failures === 0
        ? Math.random() * SPREAD_MS
        : backoffMs(failures, retryMs))
      failures++
    }
  }

  /** Tries the channels in turn until one has been live, or says why none can be. */
  async function round (): Promise<Round> {
    const failed: Channel[] = []
    let last: Round = { reason: 'no channel', liveMs: 0 }
    for (const channel of usable()) {
      const token = await http.tokens.get(stopped)
      if (stopped.aborted || isPaused) return { reason: PAUSED, liveMs: 0 } // meanwhile
      last = await connect(channel, token)
      const { liveMs } = last
      if (liveMs > 0) for (const blocked of failed) blockedUntil.set(blocked, Date.now() - liveMs + BLOCKED_MS)
      if (liveMs > 0 || last.isUnauthorized || last.error || stopped.aborted || isPaused) break
      failed.push(channel)
    }
    return last
  }

  function usable (): Channel[] {
    const able = channels.filter(channel => channel === 'sse' || (channel === 'websocket' && WebSocket))
    const open = able.filter(channel => (blockedUntil.get(channel) ?? 0) <= Date.now())
    return open.length > 0 ? open : able
  }

  async function connect (channel: Channel, token: string): Promise<Round> {
    const { signal, abort: end, restart, dispose } = createScope([], OPEN_TIMEOUT_MS, 'no session')
    let liveAt = 0
    /** The one that the server knows. */
    let known = token
    /** As the server has it. */
    let reason: string | undefined

    function onFrame (frame: Frame) {
      if (signal.aborted) return
      const { event, data } = frame
      if (event === 'session') begin(data)
      else if (event === 'auth:expiring') refresh()
      else if (event === 'ack' && data.id === 'refresh' && data.ok) known = token
      else if (event === 'bulk:progress') {
        if (typeof data.bulkId === 'string') options.onBulk?.(data as BulkProgress)
      } else if (event === 'session:end') {
        reason = typeof data.reason === 'string' ? data.reason.slice(0, 100) : 'ended'
      } else {
        const item = jobEventOf(frame)
        if (item && isNewer(item.eventId, cursor)) {
          cursor = item.eventId
          onItem(item, frame.size)
        }
      }
      if (!liveAt) restart()
    }

    function begin ({ recovered, lastEventId }: Record<string, unknown>) {
      if (liveAt) return
      if (!isEventId(lastEventId)) return end('not a session')
      liveAt = Date.now()
      dispose()
      const from = cursor
      const isWhole = recovered === true && from !== undefined
      if (!isWhole || isNewer(lastEventId, from)) cursor = lastEventId
      if (!isWhole && from !== undefined) onItem({ type: 'gap', from, to: lastEventId }, 0)
      status.set('live', undefined, channel)
      onSession(isWhole)
    }

    /** A new token before the old one ends: over the connection where that can, else with a new one. */
    function refresh () {
      const used = token
      http.tokens.renew('expiring', used, stopped).then(renewed => {
        if (endConnection !== end || token !== used) return
        token = renewed
        if (link?.send) link.send({ event: 'auth:refresh', data: token, id: 'refresh' })
        else end('token renewed')
      }).catch(() => {}) // without a new one the server ends the session, and then it is asked for once more
    }

    endConnection = end
    const linkOptions = { token, cursor, signal, onFrame }
    link = channel === 'websocket' && WebSocket
      ? openWebSocket(WebSocket, http, linkOptions)
      : { ended: readSse(http, linkOptions) }
    const how = await link.ended
    dispose()
    endConnection = link = undefined
    reason ??= signal.reason as string | undefined ?? how.reason
    return {
      ...how,
      reason,
      isUnauthorized: how.isUnauthorized || reason === 'expired' || reason === 'revoked',
      token: known, // one that came too late was not refused
      liveMs: liveAt && Math.max(1, Date.now() - liveAt)
    }
  }

  return {
    get cursor () { return cursor },
    get status () { return status.current },
    start,
    stop,
    pause,
    resume
  }
}
