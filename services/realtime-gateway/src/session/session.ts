import { renderUserId, type Identity } from '@tidings/contracts'
import { EventCursor, type CursorOptions } from './event-cursor.ts'
import { Frame } from './frame.ts'
import type { Message } from './message.ts'
import { SendBuffer, type SendBufferLimits } from './send-buffer.ts'
import type { SubscribeRequest, WantedJob } from './subscribe-request.ts'
import { reconnects, type EndReason, type Transport } from './transport.ts'

/** How long a client may take to receive everything written before the end of its session. */
const CLOSE_TIMEOUT_MS = 5000

/** What admits a client to a session, until it is released. */
export type Grant = {
  /** Whose token it is. */
  identity: Identity
  /** Whose events the session receives: the token's own user, or the one that an operator names. */
  userId: string
  token: string
  release: () => void
}

/** A user's session receives the events of all jobs of its user, a job's session those of the job it subscribes to. */
export type SessionKind = 'user' | 'job'

/** What all sessions of a gateway share. */
export type SessionContext = CursorOptions & {
  sendBufferLimits: SendBufferLimits
  delivered: (session: Session) => void
  progressDropped: () => void
  rebuffered: () => void
  ended: (session: Session, reason: EndReason | 'left') => void
}

export type Subscription = {
  /** Undefined until jobs-api has reported it. */
  queue: string | undefined
  readonly cursor: EventCursor
  /** Until the subscription is live. */
  request: SubscribeRequest | undefined
  /** Whether nothing was missed, as the answer to the subscriber said. */
  recovered: boolean
}

/** One client's session, over any transport. */
export class Session {
  readonly transport: Transport
  readonly kind: SessionKind
  readonly sendBuffer: SendBuffer
  readonly cursor: EventCursor
  grant: Grant
  /** A new token that could not be verified yet. */
  pendingToken: string | undefined
  /** The token expiry that was announced to the client. */
  announcedExpiry: number | undefined
  readonly #context: SessionContext
  #subscriptions: Map<string, Subscription> | undefined
  #closing: NodeJS.Timeout | undefined
  #helloSent = false
  #ended = false

  constructor (context: SessionContext, transport: Transport, grant: Grant, kind: SessionKind) {
    this.#context = context
    this.transport = transport
    this.grant = grant
    this.kind = kind
    this.sendBuffer = new SendBuffer(transport, context.sendBufferLimits, this)
    this.cursor = new EventCursor(context, message => this.#deliver(message))
  }

  /** Whose events it receives. */
  get userId (): string {
    return this.grant.userId
  }

  /** Whether it belongs to an operator who named another user. */
  get isOperator (): boolean {
    return this.grant.userId !== this.grant.identity.userId
  }

  get identity (): Identity {
    return this.grant.identity
  }

  /** The token for requests to jobs-api. */
  get token (): string {
    return this.grant.token
  }

  /** By job id. Created with the first: most sessions have none. */
  get subscriptions (): Map<string, Subscription> {
    return (this.#subscriptions ??= new Map())
  }

  get hasEnded (): boolean {
    return this.#ended
  }

  /** Adds a subscription that buffers from now on. */
  subscribe ({ jobId, queue }: WantedJob, request: SubscribeRequest): Subscription {
    const cursor: EventCursor = new EventCursor(this.#context, message => {
      if (!cursor.hasDelivered(message)) this.#deliverSubscribed(message, subscription)
    })
    const subscription: Subscription = { queue, cursor, request, recovered: false }
    request.requestedAt = cursor.bufferedSince
    this.subscriptions.set(jobId, subscription)
    return subscription
  }

  /** Ends a subscription, or a request for one. */
  unsubscribe (jobId: string): void {
    this.#subscriptions?.get(jobId)?.request?.cancel()
    this.#subscriptions?.delete(jobId)
  }

  /** Sends `session`: the user, and the position from which the session is complete. */
  sendHello (recovered: boolean, lastEventId: string): void {
    const { expiresAt } = this.identity
    this.#helloSent = true
    this.send('session', { userId: renderUserId(this.userId), recovered, lastEventId, expiresAt }, lastEventId)
  }

  /** Stays true after the end. */
  get helloSent (): boolean {
    return this.#helloSent
  }

  /** Sends an event that is not a job event. */
  send (event: string, payload: object, eventId?: string): void {
    this.sendBuffer.write(new Frame(event, JSON.stringify(payload), eventId))
  }

  /** Its buffer overflowed while it resumed. */
  rebuffered (): void {
    this.#context.rebuffered()
  }

  /** Its send buffer dropped superseded progress. */
  progressDropped (): void {
    this.#context.progressDropped()
  }

  /** Its client does not keep up. */
  tooSlow (): void {
    this.end('slow')
  }

  /** Ends it for a reason that the client receives. */
  end (reason: EndReason): void {
    if (this.#ended) return
    this.#finish(reason)
    this.transport.write(new Frame('session:end', JSON.stringify({ reason, reconnect: reconnects(reason) })))
    this.transport.close(reason)
    this.#closing = setTimeout(() => this.transport.terminate(), CLOSE_TIMEOUT_MS).unref()
  }

  /** To be called when the transport is closed. */
  closed (): void {
    clearTimeout(this.#closing)
    this.#finish('left')
  }

  #finish (reason: EndReason | 'left') {
    if (this.#ended) return
    this.#ended = true
    this.sendBuffer.close()
    for (const { request } of this.#subscriptions?.values() ?? []) request?.cancel()
    this.#subscriptions = undefined
    this.#context.ended(this, reason)
  }

  #deliver (message: Message) {
    if (this.kind === 'user' && !this.cursor.hasDelivered(message)) {
      this.#write(message.owner, message.isProgress ? message.jobKey : undefined)
    }
    const subscription = this.#subscriptions?.get(message.jobId)
    if (!subscription || (subscription.queue ?? message.queue) !== message.queue) return
    subscription.cursor.take(message)
    subscription.request?.observe(message)
  }

  /** Events that were buffered before the queue was known may be of another queue. */
  #deliverSubscribed (message: Message, { queue }: Subscription) {
    if (queue !== undefined && queue !== message.queue) return
    const frame = this.kind === 'job' ? message.owner : message.job
    if (frame) this.#write(frame, message.isProgress ? `job ${message.jobKey}` : undefined)
  }

  #write (frame: Frame, topic: string | undefined) {
    this.sendBuffer.write(frame, topic)
    this.#context.delivered(this)
  }
}
