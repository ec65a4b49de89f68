import type { Job, SubscribeJobAck } from '@tidings/contracts'
import { formatEventId, isNewer, newest, parseEventId, ZERO, type Entry, type EventId } from '@tidings/job-events'
import type { FoundJob, JobLookups } from '../job-lookup/job-lookups.ts'
import type { Metrics } from '../metrics.ts'
import type { History } from './history.ts'
import { messageOf, type Message } from './message.ts'
import { resume } from './resume.ts'
import type { Session, Subscription } from './session.ts'
import { isTransient, SubscribeRequest, type Requester, type Outcome, type WantedJob } from './subscribe-request.ts'

export type SubscribeOptions = {
  history: History
  jobLookups: JobLookups
  metrics: Metrics
  maxSubscriptions: number
  /** For how long an unknown job is looked up again. */
  unknownJobMs: number
}

type Refused = Extract<SubscribeJobAck, { ok: false }>

/** Whether a failed request is not retried any more. */
type IsOver = (error: string, ageMs: number) => boolean

/** `isOver` is by default that of the transports which take commands. */
type SubscribeRequester = Requester & { isOver?: IsOver }

/**
 * Subscribes a session to a job. First the job's live events are buffered. Then jobs-api decides whether the job is
 * this user's, with a snapshot that contains all events up to the start of buffering. Then the missed events are
 * delivered. Last, in one tick, come the answer, the buffered events, and live events.
 *
 * A request that cannot be answered now is kept until the session ends. It is retried, less and less often, and at once
 * when an event of the job passes. Live events are buffered meanwhile, so nothing is lost.
 */
export async function subscribe (
  session: Session, wanted: WantedJob, options: SubscribeOptions, asking: SubscribeRequester
): Promise<void> {
  if (session.hasEnded) return
  const requester = counted(asking, options.metrics)
  const respond = requester.answer ?? requester.notify
  const known = session.subscriptions.get(wanted.jobId)
  if (known?.request?.join(wanted, requester)) return
  if (known && !known.request) {
    const ack = await refreshSnapshot(session, wanted, known, options)
    return respond({ ack, retrying: false })
  }
  if (known) session.unsubscribe(wanted.jobId) // the pending request was for another queue or position
  if (session.subscriptions.size >= options.maxSubscriptions) {
    return respond({ ack: refusal('too many subscriptions'), retrying: false })
  }
  const request = new SubscribeRequest(wanted, requester)
  const isOver = asking.isOver ?? isOverOf(options)
  await attemptUntilOver(session, session.subscribe(wanted, request), { ...options, request, isOver })
}

function counted ({ answer, notify, from }: Requester, metrics: Metrics): Requester {
  const count = (respond: (outcome: Outcome) => void) => (outcome: Outcome) => {
    metrics.subscriptions.inc({ outcome: outcome.ack.ok ? 'ok' : outcome.ack.error.replaceAll(' ', '_') })
    respond(outcome)
  }
  return { answer: answer && count(answer), notify: count(notify), from }
}

const isOverOf = ({ unknownJobMs }: SubscribeOptions): IsOver => (error, ageMs) =>
  !isTransient(error) || (error === 'not found' && ageMs >= unknownJobMs)

type AttemptOptions = SubscribeOptions & { request: SubscribeRequest, isOver: IsOver }

async function attemptUntilOver (session: Session, subscription: Subscription, options: AttemptOptions): Promise<void> {
  const { request, isOver } = options
  for (;;) {
    const ack = await attempt(session, subscription, options)
    if (request.isCancelled) return request.finish(refusal('unsubscribed'))
    if (ack.ok) return goLive(subscription, ack, request)
    const isLast = isOver(ack.error, request.ageMs)
    if (isLast) session.unsubscribe(request.wanted.jobId)
    request.attemptFailed(ack, { retrying: !isLast })
    if (isLast) return
    await request.pause()
  }
}

/** In one tick: the events that were buffered up to the snapshot, the snapshot, and the events after it. */
function goLive (subscription: Subscription, ack: SubscribeJobAck & { ok: true }, request: SubscribeRequest) {
  const { cursor } = subscription
  const snapshotEnd = lastEventOf(ack.job as Job)
  if (request.wantsEventsSinceRequest) cursor.flushUpTo(snapshotEnd)
  cursor.receivedUpTo = newest(cursor.receivedUpTo, snapshotEnd)
  subscription.request = undefined
  request.finish(request.wantsEventsSinceRequest ? { ...ack, lastEventId: formatEventId(cursor.position) } : ack)
  cursor.flush()
}

type Attempt = (session: Session, subscription: Subscription, options: AttemptOptions) => Promise<SubscribeJobAck>

const attempt: Attempt = async (session, subscription, options) => {
  try {
    return await join(session, subscription, options)
  } catch {
    return refusal('unavailable') // Redis is away: the next attempt may succeed
  }
}

const join: Attempt = async (session, subscription, { history, jobLookups, request }) => {
  const { cursor } = subscription
  const { wanted, wantsEventsSinceRequest } = request
  const asked = newest(cursor.bufferedSince, request.lastSeen)
  let found = await find(session, wanted, asked, jobLookups)
  if (!found.ok) return found
  subscription.queue = found.job.queue

  const recovered = await catchUp(session, subscription, { history, request, job: found.job })
  // The client, or the buffer, was ahead of the snapshot: it gets a snapshot that is as recent.
  if (isNewer(cursor.position, asked)) found = await find(session, wanted, cursor.position, jobLookups)

  if (!found.ok) return found
  // A client that relies on the snapshot receives the events after it.
  if (!recovered && !wantsEventsSinceRequest) {
    cursor.position = cursor.completeFrom = newest(cursor.position, lastEventOf(found.job))
  }
  subscription.recovered = recovered
  return { ok: true, job: found.job, lastEventId: formatEventId(cursor.position), recovered }
}

type CatchUpOptions = { history: History, request: SubscribeRequest, job: Job }

/** Delivers the events missed since the client's position; if they overflowed the buffer, those since its request. */
async function catchUp (session: Session, { cursor }: Subscription, options: CatchUpOptions): Promise<boolean> {
  const { history, request, job } = options
  const { wanted: { lastEventId }, wantsEventsSinceRequest } = request
  const named = lastEventId === undefined ? undefined : parseEventId(lastEventId)
  if (named) cursor.receivedUpTo = named
  const isWhole = wantsEventsSinceRequest && !named && !cursor.overflowed
  if (isWhole) {
    cursor.position = cursor.completeFrom = newest(cursor.position, cursor.bufferedSince)
    return true
  }
  // Events that an earlier attempt delivered are not delivered again.
  const delivered = isNewer(cursor.position, ZERO) ? cursor.position : undefined
  const since = delivered ?? named ?? (wantsEventsSinceRequest ? request.requestedAt : undefined)
  return await resume(session, cursor, { history, since, read: readerOf(job) })
}

/** For a job that is subscribed to already: the subscription goes on, and the client gets a new snapshot. */
async function refreshSnapshot (
  session: Session, wanted: WantedJob, { cursor, queue, recovered }: Subscription, { jobLookups }: SubscribeOptions
): Promise<SubscribeJobAck> {
  const { position } = cursor
  const found = await find(session, wanted, position, jobLookups)
  if (!found.ok) return found
  if (found.job.queue !== queue) return refusal('already subscribed to this id in another queue')
  return { ok: true, job: found.job, lastEventId: formatEventId(position), recovered }
}

async function find (
  { userId, isOperator, token }: Session, { jobId, queue }: WantedJob, after: EventId, jobLookups: JobLookups
): Promise<FoundJob> {
  return await jobLookups.find({ userId, isOperator, token, jobId, queue, after })
}

/** Searches for the id before it parses: most of a history is of other jobs. */
function readerOf ({ id, queue }: Job) {
  const named = JSON.stringify(id)
  return (entry: Entry): Message | undefined => {
    const message = entry.payload.includes(named) ? messageOf(entry) : undefined
    return message?.jobId === id && message.queue === queue ? message : undefined
  }
}

const refusal = (error: string): Refused => ({ ok: false, error })

function lastEventOf ({ lastEventId }: Job): EventId {
  return (lastEventId === null ? undefined : parseEventId(lastEventId)) ?? ZERO
}
