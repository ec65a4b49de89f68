import { onAbort } from './abort.ts'
import { TidingsError } from './errors.ts'
import { isEventId } from './event-id.ts'
import type { Http } from './http.ts'
import { EventStream, type Channel, type Status } from './stream/event-stream.ts'
import type { WebSocketConstructor } from './stream/websocket.ts'
import type { Gap, JobEvent } from './types.ts'

export interface EventsOptions {
  /** Begins after this event: what was missed since comes first. Without it, with what happens from now on. */
  since?: string | undefined
  /** These only; gaps always come. */
  types?: JobEvent['type'][] | undefined
  signal?: AbortSignal | undefined
  onStatus?: ((status: Status) => void) | undefined
}

/** The events of a user, to be read with `for await`. */
export interface Events extends AsyncIterableIterator<JobEvent | Gap, undefined, undefined> {
  /** Everything up to this event has been read: to be kept, and given as `since`. */
  readonly cursor: string | undefined
  readonly status: Status
  /** Connects, and resolves once everything that happens from now on will be read. */
  ready: () => Promise<void>
  /** Ends it: the loop that reads it ends. */
  close: () => void
  return: () => Promise<IteratorReturnResult<undefined>>
  [Symbol.asyncDispose]: () => Promise<void>
}

export interface StreamSettings { http: Http, channels: Channel[], WebSocket: WebSocketConstructor | undefined }

/**
 * What may wait for a slow reader. At this bound the connection is left; the server keeps what follows, and sends it
 * once the reader has caught up.
 */
export const MAX_WAITING = 1000
/** The same, in characters of their JSON. */
const MAX_WAITING_SIZE = 8 * 1024 * 1024

type Reader = { resolve: (result: IteratorResult<JobEvent | Gap, undefined>) => void, reject: (err: unknown) => void }

const closedError = () => new TidingsError('closed', 'The events were closed')

const DONE = { done: true, value: undefined } as const

export function readEvents ({ http, ...settings }: StreamSettings, options: EventsOptions = {}): Events {
  const { since, types, signal, onStatus } = options
  if (since !== undefined && !isEventId(since)) throw new TypeError(`since is not the id of an event: ${String(since)}`)
  const waiting: { item: JobEvent | Gap, size: number }[] = []
  let waitingSize = 0
  const readers: Reader[] = []
  const readiness: { resolve: () => void, reject: (err: unknown) => void }[] = []
  let cursor = since
  let isReady = false
  let over: { err: unknown } | 'closed' | undefined

  const stream = new EventStream({
    http,
    ...settings,
    cursor: since,
    onStatus: status => onStatus?.(status),
    onItem: (item, size) => {
      if (types && item.type !== 'gap' && !types.includes(item.type)) return
      const reader = readers.shift()
      if (reader) return reader.resolve(deliver(item))
      waiting.push({ item, size })
      waitingSize += size
      if (waiting.length >= MAX_WAITING || waitingSize >= MAX_WAITING_SIZE) stream.pause()
    },
    onSession: () => {
      isReady = true
      for (const { resolve } of readiness.splice(0)) resolve()
    },
    onEnd: err => end({ err })
  })
  const removers = [
    onAbort(signal, () => queueMicrotask(() => end({ err: signal?.reason }))),
    onAbort(http.closed, () => queueMicrotask(() => end({ err: http.closed.reason })))
  ]

  function deliver (item: JobEvent | Gap) {
    cursor = item.type === 'gap' ? item.to : item.eventId
    return { done: false as const, value: item }
  }

  function end (how: NonNullable<typeof over>) {
    if (over) return
    over = how
    for (const remove of removers) remove()
    if (how === 'closed' || signal?.aborted || http.closed.aborted) waiting.length = 0
    stream.stop()
    const err = how === 'closed' ? closedError() : how.err
    for (const { resolve, reject } of readers.splice(0)) {
      if (how === 'closed') resolve(DONE)
      else reject(err)
    }
    for (const { reject } of readiness.splice(0)) reject(err)
  }

  const events: Omit<Events, typeof Symbol.asyncDispose> = {
    get cursor () { return waiting.length === 0 ? stream.cursor : cursor },
    get status () { return stream.status },
    [Symbol.asyncIterator]: () => events as Events,
    next: () => {
      const first = waiting.shift()
      if (first) {
        waitingSize -= first.size
        if (waiting.length <= MAX_WAITING / 4 && waitingSize <= MAX_WAITING_SIZE / 4) stream.resume()
        return Promise.resolve(deliver(first.item))
      }
      if (over === 'closed') return Promise.resolve(DONE)
      if (over) {
        const { err } = over
        over = 'closed'
        return Promise.reject(err)
      }
      stream.start()
      return new Promise((resolve, reject) => { readers.push({ resolve, reject }) })
    },
    ready: () => {
      if (over) return Promise.reject(over === 'closed' ? closedError() : over.err)
      if (isReady) return Promise.resolve()
      stream.start()
      return new Promise((resolve, reject) => { readiness.push({ resolve, reject }) })
    },
    close: () => end('closed'),
    return: () => {
      end('closed')
      return Promise.resolve(DONE)
    }
  }
  return disposable(events, () => end('closed')) as Events
}

/** For `await using`, where the runtime has it. */
export function disposable<T extends object> (object: T, dispose: () => void): T & AsyncDisposable {
  const { asyncDispose } = Symbol as { asyncDispose?: symbol }
  if (asyncDispose) Object.defineProperty(object, asyncDispose, { value: async () => dispose() })
  return object as T & AsyncDisposable
}
