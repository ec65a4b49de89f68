import { renderUserId, type Identity } from '@tidings/contracts'
import type { Pass } from '../auth/pass.ts'
import { Feed, type FeedOptions } from './feed.ts'
import { Frame } from './frame.ts'
import type { Message } from './message.ts'
import { Outlet, type OutletBounds } from './outlet.ts'
import type { SubscribeRequest, WantedJob } from './subscribe-request.ts'
import { comesBack, type EndReason, type Wire } from './wire.ts'

/** How long a client may take to receive what was written before its end. */
const CLOSE_TIMEOUT_MS = 5000

/** A user's session is told of all its user's jobs, a job's session of the one that it subscribes to. */
export type SessionKind = 'user' | 'job'

/** What all sessions of a gateway share. */
export type SessionContext = FeedOptions & {
  bounds: OutletBounds
  told: (session: Session) => void
  spared: () => void
  heldAnew: () => void
  ended: (session: Session, reason: EndReason | 'left') => void
}

export type Subscription = {
  /** Undefined until jobs-api has told it. */
  queue: string | undefined
  readonly feed: Feed
  /** Until it is live. */
  request: SubscribeRequest | undefined
  /** What its subscriber was told: whether nothing was missed. */
  recovered: boolean
}

/** What one client is told, whatever it speaks. */
export class Session {
  readonly wire: Wire
  readonly kind: SessionKind
  readonly outlet: Outlet
  readonly feed: Feed
  pass: Pass
  /** A new token that could not be verified yet. */
  offeredToken: string | undefined
  /** The end of a token of which the client was told ahead. */
  warnedOf: number | undefined
  readonly #context: SessionContext
  #subscriptions: Map<string, Subscription> | undefined
  #closing: NodeJS.Timeout | undefined
  #introduced = false
  #ended = false

  constructor (context: SessionContext, wire: Wire, pass: Pass, kind: SessionKind) {
    this.#context = context
    this.wire = wire
    this.pass = pass
    this.kind = kind
    this.outlet = new Outlet(wire, context.bounds, this)
    this.feed = new Feed(context, message => this.#tell(message))
  }

  get userId (): string {
    return this.pass.identity.userId
  }

  get identity (): Identity {
    return this.pass.identity
  }

  /** What jobs-api is asked with. */
  get token (): string {
    return this.pass.token
  }

  /** By job id; made for the first: most sessions have none. */
  get subscriptions (): Map<string, Subscription> {
    return (this.#subscriptions ??= new Map())
  }

  get hasEnded (): boolean {
    return this.#ended
  }

  /** Adds a subscription that holds from now on. */
  subscribe ({ jobId, queue }: WantedJob, request: SubscribeRequest): Subscription {
    const feed: Feed = new Feed(this.#context, message => { if (!feed.hasTold(message)) this.#tellJob(message, subscription) })
    const subscription: Subscription = { queue, feed, request, recovered: false }
    request.askedFrom = feed.heldFrom
    this.subscriptions.set(jobId, subscription)
    return subscription
  }

  /** Ends a subscription, or a request for one. */
  unsubscribe (jobId: string): void {
    this.#subscriptions?.get(jobId)?.request?.cancel()
    this.#subscriptions?.delete(jobId)
  }

  /** Sends `session`: who this is, and the position from which it is complete. */
  introduce (recovered: boolean, lastEventId: string): void {
    const { expiresAt } = this.identity
    this.#introduced = true
    this.send('session', { userId: renderUserId(this.userId), recovered, lastEventId, expiresAt }, lastEventId)
  }

  get isIntroduced (): boolean {
    return this.#introduced
  }

  /** Sends what is no job event. */
  send (event: string, payload: object, eventId?: string): void {
    this.outlet.write(new Frame(event, JSON.stringify(payload), eventId))
  }

  /** More came while it resumed than may wait. */
  heldAnew (): void {
    this.#context.heldAnew()
  }

  /** Its outlet has left out what was superseded. */
  spared (): void {
    this.#context.spared()
  }

  /** Its outlet says that the client does not keep up. */
  slow (): void {
    this.end('slow')
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
    for (const { request } of this.#subscriptions?.values() ?? []) request?.cancel()
    this.#subscriptions = undefined
    this.#context.ended(this, reason)
  }

  #tell (message: Message) {
    if (this.kind === 'user' && !this.feed.hasTold(message)) this.#write(message.owner, message.isProgress ? message.jobKey : undefined)
    const subscription = this.#subscriptions?.get(message.jobId)
    if (!subscription || (subscription.queue ?? message.queue) !== message.queue) return
    subscription.feed.take(message)
    subscription.request?.sees(message)
  }

  /** What was held before the queue was known may be of another one. */
  #tellJob (message: Message, { queue }: Subscription) {
    if (queue !== undefined && queue !== message.queue) return
    const frame = this.kind === 'job' ? message.owner : message.job
    if (frame) this.#write(frame, message.isProgress ? `job ${message.jobKey}` : undefined)
  }

  #write (frame: Frame, topic: string | undefined) {
    this.outlet.write(frame, topic)
    this.#context.told(this)
  }
}
