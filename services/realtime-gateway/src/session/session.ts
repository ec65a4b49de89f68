import type { Identity } from '@tidings/contracts'
import { Feed, type HoldBounds } from './feed.ts'
import { Frame } from './frame.ts'
import type { Message } from './message.ts'
import { Outlet, type OutletBounds } from './outlet.ts'
import { comesBack, type EndReason, type Wire } from './wire.ts'

/** How long a client may take to receive what was written before its end. */
const CLOSE_TIMEOUT_MS = 5000

/** A user's session is told of all its user's jobs, a job's session of the one that it subscribes to. */
export type SessionKind = 'user' | 'job'

export type SessionOptions = {
  wire: Wire
  identity: Identity
  /** What jobs-api is asked with. */
  token: string
  kind: SessionKind
  tail: { readonly position: Feed['position'] }
  bounds: OutletBounds & { held: HoldBounds }
  onTold: () => void
  onSpared: () => void
  onEnd: (session: Session, reason: EndReason | 'left') => void
}

export type Subscription = {
  /** Undefined until jobs-api has told it. */
  queue: string | undefined
  readonly feed: Feed
  /** What its subscriber was told: whether nothing was missed. */
  recovered: boolean
}

/** What one client is told, whatever it speaks. */
export class Session {
  readonly wire: Wire
  readonly kind: SessionKind
  readonly outlet: Outlet
  readonly feed: Feed
  /** By job id. */
  readonly subscriptions = new Map<string, Subscription>()
  identity: Identity
  token: string
  readonly #options: SessionOptions
  #closing: NodeJS.Timeout | undefined
  #ended = false

  constructor (options: SessionOptions) {
    const { wire, kind, identity, token, tail, bounds, onSpared } = options
    this.#options = options
    this.wire = wire
    this.kind = kind
    this.identity = identity
    this.token = token
    this.outlet = new Outlet({ wire, bounds, onSpared, onSlow: () => this.end('slow') })
    this.feed = new Feed({ tail, bounds: bounds.held, tell: message => this.#tell(message) })
  }

  get userId (): string {
    return this.identity.userId
  }

  get hasEnded (): boolean {
    return this.#ended
  }

  /** Adds a subscription that holds from now on. */
  subscribe (jobId: string, queue: string | undefined): Subscription {
    const { tail, bounds } = this.#options
    const feed = new Feed({ tail, bounds: bounds.held, tell: message => this.#tellJob(message) })
    const subscription = { queue, feed, recovered: false }
    this.subscriptions.set(jobId, subscription)
    return subscription
  }

  /** Sends what is no job event. */
  send (event: string, payload: object, eventId?: string): void {
    this.outlet.write(new Frame(event, JSON.stringify(payload), eventId))
  }

  /** Closes it for a reason that the client is told. */
  end (reason: EndReason): void {
    if (this.#ended) return
    this.#leave(reason)
    this.wire.write(new Frame('session:end', JSON.stringify({ reason, reconnect: comesBack(reason) })))
    this.wire.close(reason)
    this.#closing = setTimeout(() => this.wire.terminate(), CLOSE_TIMEOUT_MS).unref()
  }

  /** The wire is gone. */
  closed (): void {
    clearTimeout(this.#closing)
    this.#leave('left')
  }

  #leave (reason: EndReason | 'left') {
    if (this.#ended) return
    this.#ended = true
    this.outlet.close()
    this.subscriptions.clear()
    this.#options.onEnd(this, reason)
  }

  #tell (message: Message) {
    if (this.kind === 'user') this.#write(message.owner, message.isProgress ? message.jobKey : undefined)
    const subscription = this.subscriptions.get(message.jobId)
    if (subscription && (subscription.queue ?? message.queue) === message.queue) subscription.feed.take(message)
  }

  #tellJob (message: Message) {
    const frame = this.kind === 'job' ? message.owner : message.job
    if (frame) this.#write(frame, message.isProgress ? `job ${message.jobKey}` : undefined)
  }

  #write (frame: Frame, topic: string | undefined) {
    this.outlet.write(frame, topic)
    this.#options.onTold()
  }
}
