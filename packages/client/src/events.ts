import { deferred, onAbort } from './abort.ts'
import { TidingsError } from './errors.ts'
import { isEventId } from './event-id.ts'
import { createFeed, type Feed } from './feed.ts'
import type { Http } from './http.ts'
import { createEventStream, type Channel } from './stream/event-stream.ts'
import type { Status } from './stream/status.ts'
import type { WebSocketConstructor } from './stream/websocket.ts'
import type { BulkProgress, Gap, JobEvent } from './types.ts'

export interface EventsOptions {
  /** Begins after this event: what was missed since comes first. Without it, with what happens from now on. */
  since?: string | undefined
  /** These only; gaps always come. */
  types?: JobEvent['type'][] | undefined
  signal?: AbortSignal | undefined
  onStatus?: ((status: Status) => void) | undefined
  /** The progress of the user's bulk actions, twice a second at most; what is missed is in `bulk.get`. */
  onBulk?: ((progress: BulkProgress) => void) | undefined
}

/** The events of a user, to be read with `for await`. */
export interface Events extends Feed<JobEvent | Gap> {
  /** Everything up to this event has been read: to be kept, and given as `since`. */
  readonly cursor: string | undefined
  readonly status: Status
  /** Connects, and resolves once everything that happens from now on will be read. */
  ready: () => Promise<void>
}

export interface StreamSettings { http: Http, channels: Channel[], WebSocket: WebSocketConstructor | null | undefined }

/**
 * What may wait for a slow reader. At this bound the connection is left; the server keeps what follows, and sends it
 * once the reader has caught up.
 */
export const MAX_WAITING = 1000
/** The same, in characters of their JSON. */
const MAX_WAITING_SIZE = 8 * 1024 * 1024

export function readEvents (settings: StreamSettings, options: EventsOptions = {}): Events {
  const { since, types, signal } = options
  const { closed } = settings.http
  if (since !== undefined && !isEventId(since)) throw new TypeError('since is not the id of an event')
  const waiting: { item: JobEvent | Gap, size: number }[] = []
  let waitingSize = 0
  const readiness = deferred()
  readiness.promise.catch(() => {}) // it may be that nobody asks
  let cursor = since
  let left: string | undefined
  let over: { error: unknown } | undefined

  const stream = createEventStream({
    ...settings,
    ...options,
    cursor: since,
    onItem: (item, size) => {
      if (types && item.type !== 'gap' && !types.includes(item.type)) return
      waiting.push({ item, size })
      waitingSize += size
      control.settle()
      if (waiting.length >= MAX_WAITING || waitingSize >= MAX_WAITING_SIZE) stream.pause()
    },
    onSession: () => {
      cursor ??= stream.cursor
      readiness.resolve()
    },
    onEnd: end
  })
  const { feed, control } = createFeed({
    take: () => {
      const first = waiting.shift()
      if (!first) return undefined
      const { item, size } = first
      waitingSize -= size
      if (waiting.length <= MAX_WAITING / 4 && waitingSize <= MAX_WAITING_SIZE / 4) stream.resume()
      cursor = item.type === 'gap' ? item.to : item.eventId
      return item
    },
    start: stream.start,
    stop: () => leave(new TidingsError('closed', 'It was closed'))
  })
  const remove = onAbort([signal, closed], reason => queueMicrotask(() => leave(reason)))

  /** What waits is not read any more. */
  function leave (error: unknown) {
    if (waiting.length > 0) left = cursor
    waiting.length = 0
    end(error)
  }

  function end (error: unknown) {
    if (over) return
    over = { error }
    remove()
    stream.stop()
    readiness.reject(error)
    control.end(error)
  }

  return Object.defineProperties(feed, {
    cursor: { get: () => left ?? (waiting.length > 0 ? cursor : stream.cursor) },
    status: { get: () => stream.status },
    ready: {
      value: async () => {
        if (over) throw over.error
        control.begin()
        await readiness.promise
      }
    }
  }) as Events
}
