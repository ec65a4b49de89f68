import { deferred, onAbort } from '../abort.ts'
import { isRecord } from '../errors.ts'
import { queryText, type Http } from '../http.ts'
import { MAX_FRAME, readRecord } from './frames.ts'
import type { Link, LinkEnd, LinkOptions } from './link.ts'

/** The part of a WebSocket that is used: that of browsers, Node, Deno, Bun and Workers, and of the package `ws`. */
export interface WebSocketLike {
  onopen: unknown
  onmessage: unknown
  onerror: unknown
  onclose: unknown
  send: (text: string) => void
  close: () => void
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

/** Silence after which the server is asked for a sign of life; scripts do not see the pings of the protocol. */
const IDLE_MS = 25_000
const REPLY_MS = 10_000
/** Timers stand still while a machine sleeps. */
const SLEPT_MS = 10_000
/** A command that any server answers and that changes nothing. */
const PROBE = { event: 'unsubscribe:job', data: '-', id: 'probe' }
const EXPIRED = 4401

export function openWebSocket (
  WebSocket: WebSocketConstructor, http: Http, { token, cursor, signal, onFrame }: LinkOptions
): Link {
  const address = `${http.url.replace(/^http/, 'ws')}/ws${queryText({ userId: http.userId, lastEventId: cursor })}`
  let socket: WebSocketLike
  try {
    socket = new WebSocket(address, ['tidings.v1', `bearer.${token}`])
  } catch (cause) {
    return { ended: Promise.resolve({ reason: `WebSocket: ${String(cause)}` }) }
  }

  const { promise: ended, resolve } = deferred<LinkEnd>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOpen = false
  let isProbing = false
  const remove = onAbort([signal], () => queueMicrotask(() => end({ reason: 'aborted' })))

  function end (how: LinkEnd) {
    clearTimeout(timer)
    remove()
    // Not null: `ws` throws an error that nobody listens to.
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = () => {}
    resolve(how)
    try { socket.close() } catch {} // some throw while it connects
  }

  function send (command: object) {
    try {
      if (isOpen) socket.send(JSON.stringify(command))
    } catch {
      end({ reason: 'WebSocket: connection lost' })
    }
  }

  function after (ms: number, act: () => void) {
    clearTimeout(timer)
    timer = setTimeout(act, ms)
  }

  function probe () {
    if (!isOpen || isProbing) return
    isProbing = true
    send(PROBE)
    after(REPLY_MS, () => end({ reason: 'WebSocket: no sign of life' }))
  }

  function watch () {
    isProbing = false
    const due = Date.now() + IDLE_MS + SLEPT_MS
    after(IDLE_MS, () => {
      if (Date.now() > due) end({ reason: 'the machine slept' })
      else probe()
    })
  }

  socket.onopen = () => {
    isOpen = true
    watch()
  }
  socket.onmessage = ({ data }: { data: unknown }) => {
    watch()
    const isReadable = typeof data === 'string' && data.length <= MAX_FRAME
    if (!isReadable) return end({ reason: 'WebSocket: not a frame' })
    const frame = readRecord(http, data)
    if (typeof frame?.event === 'string' && isRecord(frame.data)) {
      onFrame({ event: frame.event, data: frame.data, size: data.length })
    }
  }
  socket.onerror = () => end({ reason: isOpen ? 'WebSocket: connection lost' : 'WebSocket: cannot connect' })
  socket.onclose = ({ code, reason }: { code: number, reason: string }) =>
    end({ reason: `WebSocket: closed, ${code} ${reason}`.trim(), isUnauthorized: code === EXPIRED })

  return { ended, send, probe }
}
