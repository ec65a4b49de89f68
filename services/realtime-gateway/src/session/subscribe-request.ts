import type { SubscribeJobAck } from '@tidings/contracts'
import { isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Message } from './message.ts'

const MIN_PAUSE_MS = 250
const MAX_PAUSE_MS = 10_000

export type WantedJob = { jobId: string, queue?: string | undefined, lastEventId?: string | undefined }

export type Outcome = {
  ack: SubscribeJobAck
  /** It is tried again; what becomes of that is told by an event. */
  retrying: boolean
}

export type Requester = {
  /** Gets the outcome of the next attempt; undefined: nobody waits for it. */
  answer?: ((outcome: Outcome) => void) | undefined
  /** Gets what nobody waits for: the first failure, if it is not answered, and the end. */
  notify: (outcome: Outcome) => void
  /**
   * Where its events begin. A client that shows the snapshot wants what follows it; one that may not look at it, or
   * gets it late, wants every event since it asked.
   */
  from: 'the snapshot' | 'the snapshot, if prompt' | 'its request'
}

/** Whether a refusal may be another one later. */
export const isTransient = (error: string) => error === 'unavailable' || error === 'rate limited' || error === 'not found'

/** A subscription that is asked for and not answered yet, whoever asked for it, and how often. */
export class SubscribeRequest {
  readonly wanted: WantedJob
  /** Every event since it was asked for is wanted, and not only what follows the snapshot. */
  wantsEventsSinceRequest: boolean
  /** Where the tail stood when it was asked for. */
  requestedAt: EventId = ZERO
  /** The newest event of the job that has passed meanwhile. */
  lastSeen: EventId = ZERO
  isCancelled = false
  /** Why the last attempt failed, where that was none of jobs-api's answers. */
  fault: unknown
  readonly #since = Date.now()
  readonly #notify: Requester['notify']
  readonly #keepsSnapshotPosition: boolean
  #answers: NonNullable<Requester['answer']>[] = []
  /** Somebody is to be notified of the end, and whether of a failure before it too. */
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
    return Date.now() - this.#since
  }

  /** Somebody asks for the same once more: both are answered. False where it is not the same. */
  join ({ queue, lastEventId }: WantedJob, requester: Requester): boolean {
    const isSame = queue === this.wanted.queue && (lastEventId === this.wanted.lastEventId || lastEventId === undefined)
    if (!isSame) return false
    this.#add(requester)
    this.wantsEventsSinceRequest ||= requester.from === 'its request'
    this.#attempts = 0
    this.#wake?.()
    return true
  }

  /** An event of the job passed. The first says that the job is there: no need to wait. */
  observe ({ id }: Message): void {
    const isFirst = !isNewer(this.lastSeen, ZERO)
    this.lastSeen = id
    if (isFirst) this.#wake?.()
  }

  /** Tells of an attempt that failed. Who is told of a retry may take it that every event from here on comes. */
  attemptFailed (ack: SubscribeJobAck, { retrying }: { retrying: boolean }): void {
    const isNotified = retrying ? this.#notifiesFailure : this.#notifiesEnd
    if (retrying && !this.#keepsSnapshotPosition) this.wantsEventsSinceRequest = true
    this.#answerAll({ ack, retrying })
    if (isNotified) this.#notify({ ack, retrying })
    this.#notifiesEnd = true
    this.#notifiesFailure = false
  }

  /** Tells of the end. */
  finish (ack: SubscribeJobAck): void {
    this.#answerAll({ ack, retrying: false })
    if (this.#notifiesEnd && !this.isCancelled) this.#notify({ ack, retrying: false })
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

  /** Ends it at the next opportunity. */
  cancel (): void {
    this.isCancelled = true
    this.#wake?.()
  }

  /** Twice as long as before, spread, so that those who ask at once do not ask again at once. */
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
}
