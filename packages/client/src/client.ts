import { createBulk, type BulkActions } from './bulk.ts'
import { TidingsError } from './errors.ts'
import { readEvents, type Events, type EventsOptions } from './events.ts'
import { asyncDispose } from './feed.ts'
import type { Http } from './http.ts'
import { createJobs, type Jobs, type JobSchemas } from './jobs.ts'
import { createRoutes, type RequestOptions } from './routes.ts'
import type { Channel } from './stream/event-stream.ts'
import type { Status } from './stream/status.ts'
import type { WebSocketConstructor } from './stream/websocket.ts'
import { createTokens, type TokenSource } from './token.ts'
import type { DeliveryStates, Gap, JobEvent, Me, QueueStates } from './types.ts'
import { createWatchHub } from './watch-hub.ts'
import { createDeliveries, createWebhooks, type Deliveries, type Webhooks } from './webhooks-api.ts'

export interface ClientOptions<Schemas extends JobSchemas = JobSchemas> {
  /** Where Tidings is, as `https://example.com/tidings`. On a page it may be relative. */
  url: string
  /** An access token, or a function that gets one: called at the start, before one expires, and once one is refused. */
  token: TokenSource
  /** For operators: whose jobs and webhooks these are. By default those of the token's own user. */
  userId?: string | number | undefined
  /** Schemas of the jobs' data and results, by name. With them only these names can be submitted. */
  jobs?: Schemas | undefined
  /** In the order in which they are tried; all by default. */
  channels?: Channel[] | undefined
  /** For an attempt of a request to be answered, in milliseconds; 30,000 by default. */
  timeout?: number | undefined
  /** How often a request is sent again where that does no harm; 2 by default. */
  retries?: number | undefined
  fetch?: typeof globalThis.fetch | undefined
  /** By default the runtime's own; `null` for none. */
  WebSocket?: WebSocketConstructor | null | undefined
  /** Reads the JSON of responses and events, in place of `JSON.parse`: to keep numbers beyond 2^53 exact, say. */
  parse?: ((text: string) => unknown) | undefined
}

export interface Client<Schemas extends JobSchemas = JobSchemas> {
  readonly jobs: Jobs<Schemas>
  readonly webhooks: Webhooks
  readonly deliveries: Deliveries
  /** Whose token it is, what it may do, and when it ends. */
  me: (options?: RequestOptions) => Promise<Me>
  readonly bulk: BulkActions
  /** The state of the system, for tokens with the scope `operator:read`. */
  readonly operators: {
    queues: (options?: RequestOptions) => Promise<QueueStates>
    deliveries: (options?: RequestOptions) => Promise<DeliveryStates>
  }
  /** All events of the user, each once and in order, or a gap that says what may be missing. */
  events: (options?: EventsOptions) => Events
  /** Of the connection that `jobs.watch`, `jobs.wait` and `onEvent` share; `idle` while nothing uses it. */
  readonly status: Status
  /** Calls the listener whenever `status` changes; returns what removes it. */
  onStatus: (listener: (status: Status) => void) => () => void
  /**
   * Calls the listener with each event of that connection, which it keeps, and with a gap where events were missed;
   * returns what removes it. For a view that asks for what it shows whenever the state becomes `live`.
   */
  onEvent: (listener: (event: JobEvent | Gap) => void) => () => void
  /** Ends all that is under way: it rejects with the code `closed`. */
  close: () => void
  [Symbol.asyncDispose]: () => Promise<void>
}

export function createClient<const Schemas extends JobSchemas = JobSchemas> (
  options: ClientOptions<Schemas>
): Client<Schemas> {
  const {
    token, userId, jobs = {} as Schemas, channels = ['websocket', 'sse', 'poll'], timeout: timeoutMs = 30_000,
    retries = 2, fetch = (...request) => globalThis.fetch(...request), parse = JSON.parse,
    WebSocket = globalThis.WebSocket as unknown as WebSocketConstructor
  } = options
  const closing = new AbortController()
  const { signal: closed } = closing
  const page = (globalThis as { location?: { href: string } }).location?.href
  const url = new URL(options.url, page).href.replace(/\/+$/, '')
  const http: Http = { url, userId, fetch, tokens: createTokens(token, closed), closed, timeoutMs, retries, parse }
  const routes = createRoutes(http)
  const { route } = routes
  const listeners = new Set<(status: Status) => void>()
  const settings = { http, channels, WebSocket }
  const hub = createWatchHub(settings, status => { for (const listener of listeners) listener(status) })
  const close = () => closing.abort(new TidingsError('closed', 'It was closed'))

  return {
    jobs: createJobs(routes, hub, jobs),
    webhooks: createWebhooks(routes),
    deliveries: createDeliveries(routes),
    me: route<[], Me>('GET /me'),
    bulk: createBulk(routes, closed),
    operators: {
      queues: route<[], QueueStates>('GET /operators/queues'),
      deliveries: route<[], DeliveryStates>('GET /operators/deliveries')
    },
    events: options => readEvents(settings, options),
    get status () { return hub.status },
    onStatus: listener => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    onEvent: hub.listen,
    close,
    [asyncDispose]: async () => close()
  }
}
