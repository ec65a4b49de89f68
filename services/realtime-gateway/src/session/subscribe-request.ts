import type { SubscribeJobAck } from '@tidings/contracts'
import { isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Message } from './message.ts'

const MIN_PAUSE_MS = 250
const MAX_PAUSE_MS = 10_000

export type WantedJob = { jobId: string, queue?: string | undefined, lastEventId?: string | undefined }

export type Outcome = {
  ack: SubscribeJobAck
  /** The request is retried; its outcome is sent as an event. */
  retrying: boolean
}

/** The sender of a request. */
export type Requester = {
  /** Receives the outcome of the next attempt; undefined if nobody waits for it. */
  answer?: ((outcome: Outcome) => void) | undefined
  /** Receives the outcomes that are not answered: the first failure, and the end. */
  notify: (outcome: Outcome) => void
  /**
   * Where its events start. A client that shows the snapshot wants the events after it. A client that may not look at
   * the snapshot, or receives it late, wants every event since its request.
   */
  from: 'the snapshot' | 'the snapshot, if prompt' | 'its request'
}

/** Whether a later attempt may succeed. */
export const isTransient = (error: string) =>
  error === 'unavailable' || error === 'rate limited' || error === 'not found'

/** A pending request for a subscription, of one or more requesters. */
export class SubscribeRequest {
  readonly wanted: WantedJob
  /** Every event since the request is wanted, not only those after the snapshot. */
  wantsEventsSinceRequest: boolean
  /** The position of the stream tail at the time of the request. */
  requestedAt: EventId = ZERO
  /** The newest event of the job that has passed since. */
  lastSeen: EventId = ZERO
  isCancelled = false
  readonly #createdAt = Date.now()
  readonly #notify: Requester['notify']
  readonly #keepsSnapshotPosition: boolean
  #answers: NonNullable<Requester['answer']>[] = []
  /** Whether `notify` receives the end, and a failure before it. */
  #notifiesEnd = false
  #notifiesFailure = false
  #attempts = 0
  #wake: (() => void) | undefined

  constructor (wanted: WantedJob, requester: Requester) {
    this.wanted = wanted
    this.wantsEventsSinceRequest = requester.from === 'its request'
    this.#keepsSnapshotPosition = requester.from === 'the snapshot'
    this.#notify = requester.notify
    this.#add(requester)
  }

  get ageMs (): number {
    return Date.now() - this.#createdAt
  }

  /** Adds another request for the same job: both are answered. False if it is not the same. */
  join ({ queue, lastEventId }: WantedJob, requester: Requester): boolean {
    const isSamePosition = lastEventId === this.wanted.lastEventId || lastEventId === undefined
    if (queue !== this.wanted.queue || !isSamePosition) return false
    this.#add(requester)
    this.wantsEventsSinceRequest ||= requester.from === 'its request'
    this.#attempts = 0
    this.#wake?.()
    return true
  }

  /** Takes note of a live event of the job. The first proves that the job exists: no need to wait any longer. */
  observe ({ id }: Message): void {
    const isFirst = !isNewer(this.lastSeen, ZERO)
    this.lastSeen = id
    if (isFirst) this.#wake?.()
  }

  /** Reports a failed attempt. A requester that learns of a retry can rely on every event from then on. */
  attemptFailed (ack: SubscribeJobAck, { retrying }: { retrying: boolean }): void {
    const isNotified = retrying ? this.#notifiesFailure : this.#notifiesEnd
    if (retrying && !this.#keepsSnapshotPosition) this.wantsEventsSinceRequest = true
    this.#answerAll({ ack, retrying })
    if (isNotified) this.#notify({ ack, retrying })
    this.#notifiesEnd = true
    this.#notifiesFailure = false
  }

  /** Reports the end. */
  finish (ack: SubscribeJobAck): void {
    this.#answerAll({ ack, retrying: false })
    if (this.#notifiesEnd && !this.isCancelled) this.#notify({ ack, retrying: false })
  }

  /** Ends it at the next opportunity. */
  cancel (): void {
    this.isCancelled = true
    this.#wake?.()
  }

  /** Waits before the next attempt: twice as long as before, with jitter, so that simultaneous requests spread out. */
  async pause (): Promise<void> {
    if (this.isCancelled) return
    const most = Math.min(MIN_PAUSE_MS * 2 ** this.#attempts++, MAX_PAUSE_MS)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, most * (0.5 + Math.random() / 2)).unref()
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }

  #add ({ answer }: Requester) {
    if (answer) this.#answers.push(answer)
    else this.#notifiesEnd = this.#notifiesFailure = true
  }

  #answerAll (outcome: Outcome) {
    const answers = this.#answers
    this.#answers = []
    for (const answer of answers) answer(outcome)
  }
}
