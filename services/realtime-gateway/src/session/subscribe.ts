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
  /** How long a job that is not known yet is looked for. */
  unknownJobMs: number
}

type Refused = Extract<SubscribeJobAck, { ok: false }>

type SubscribeRequester = Requester & {
  /** Whether to try no more; by default as sockets do. */
  isOver?: (error: string, sinceMs: number) => boolean
}

/**
 * Subscribes a session to a job. The job is held first; then jobs-api says
 * whether it is this user's, in a snapshot that knows all up to where holding
 * began; then what was missed is told; then, in one turn, come the answer,
 * what was held, and what is live.
 *
 * A request that can't be answered now is kept, for as long as the session
 * lives: it is tried again, less and less often, and at once when an event of
 * the job passes. What the tail hands in meanwhile is held, so nothing is lost.
 */
export async function subscribe (session: Session, wanted: WantedJob, options: SubscribeOptions, asking: SubscribeRequester): Promise<void> {
  if (session.hasEnded) return
  const requester = counted(asking, options.metrics)
  const respond = requester.answer ?? requester.notify
  const known = session.subscriptions.get(wanted.jobId)
  if (known?.request?.join(wanted, requester)) return
  if (known && !known.request) return await refreshSnapshot(session, wanted, known, options, respond)
  if (known) session.unsubscribe(wanted.jobId) // it is asked for from elsewhere now
  if (session.subscriptions.size >= options.maxSubscriptions) return respond({ ack: refusal('too many subscriptions'), retrying: false })

  const request = new SubscribeRequest(wanted, requester)
  await attemptUntilOver(session, session.subscribe(wanted, request), { ...options, request, isOver: asking.isOver ?? isOverOf(options) })
}

function counted ({ answer, notify, from }: Requester, metrics: Metrics): Requester {
  const count = (respond: (outcome: Outcome) => void) => (outcome: Outcome) => {
    metrics.subscriptions.inc({ outcome: outcome.ack.ok ? 'ok' : outcome.ack.error.replaceAll(' ', '_') })
    respond(outcome)
  }
  return { answer: answer && count(answer), notify: count(notify), from }
}

const isOverOf = ({ unknownJobMs }: SubscribeOptions) => (error: string, sinceMs: number) =>
  !isTransient(error) || (error === 'not found' && sinceMs >= unknownJobMs)

type AttemptOptions = SubscribeOptions & { request: SubscribeRequest, isOver: (error: string, sinceMs: number) => boolean }

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

/** In one turn: what was held up to the snapshot, the snapshot, and what follows it. */
function goLive (subscription: Subscription, ack: SubscribeJobAck & { ok: true }, request: SubscribeRequest) {
  const { cursor } = subscription
  if (request.wantsEventsSinceRequest) cursor.flushUpTo(lastEventOf(ack.job as Job))
  subscription.request = undefined
  request.finish(request.wantsEventsSinceRequest ? { ...ack, lastEventId: formatEventId(cursor.position) } : ack)
  cursor.flush()
}

async function attempt (session: Session, subscription: Subscription, options: AttemptOptions): Promise<SubscribeJobAck> {
  try {
    return await join(session, subscription, options)
  } catch (err) {
    options.request.fault = err
    return refusal('unavailable')
  }
}

async function join (session: Session, subscription: Subscription, { history, jobLookups, request }: AttemptOptions): Promise<SubscribeJobAck> {
  const { cursor } = subscription
  const { wanted, wantsEventsSinceRequest } = request
  const asked = newest(cursor.bufferedSince, request.lastSeen)
  let found = await find(session, wanted, asked, jobLookups)
  if (!found.ok) return found
  subscription.queue = found.job.queue

  const recovered = await catchUp(session, subscription, { history, request, job: found.job })
  // The client, or what was held, was further than the snapshot: it gets one that is as far.
  if (isNewer(cursor.position, asked)) found = await find(session, wanted, cursor.position, jobLookups)

  if (!found.ok) return found
  // A client that goes by the snapshot is told what follows that.
  if (!recovered && !wantsEventsSinceRequest) cursor.position = cursor.completeFrom = newest(cursor.position, lastEventOf(found.job))
  subscription.recovered = recovered
  return { ok: true, job: found.job, lastEventId: formatEventId(cursor.position), recovered }
}

/** Tells what was missed since the client's position, or since it asked where that was lost on the way. */
async function catchUp (session: Session, { cursor }: Subscription, { history, request, job }: Pick<AttemptOptions, 'history' | 'request'> & { job: Job }): Promise<boolean> {
  const { wanted: { lastEventId }, wantsEventsSinceRequest } = request
  const named = lastEventId === undefined ? undefined : parseEventId(lastEventId)
  const isWhole = wantsEventsSinceRequest && !named && !cursor.overflowed
  if (isWhole) {
    cursor.position = cursor.completeFrom = newest(cursor.position, cursor.bufferedSince)
    return true
  }
  // What an attempt before this one has told is not told again.
  const delivered = isNewer(cursor.position, ZERO) ? cursor.position : undefined
  const since = delivered ?? named ?? (wantsEventsSinceRequest ? request.requestedAt : undefined)
  return await resume(session, cursor, { history, since, read: readerOf(job) })
}

/** A job that is subscribed to already goes on as it does; the client gets a new snapshot. */
async function refreshSnapshot (session: Session, wanted: WantedJob, { cursor, queue, recovered }: Subscription, { jobLookups }: SubscribeOptions, tell: (outcome: Outcome) => void): Promise<void> {
  const { position } = cursor
  const found = await find(session, wanted, position, jobLookups)
  const isOther = found.ok && found.job.queue !== queue
  const ack = !found.ok
    ? found
    : isOther
      ? refusal('already subscribed to this id in another queue')
      : { ok: true as const, job: found.job, lastEventId: formatEventId(position), recovered }
  tell({ ack, retrying: false })
}

async function find ({ userId, token }: Session, { jobId, queue }: WantedJob, after: EventId, jobLookups: JobLookups): Promise<FoundJob> {
  return await jobLookups.find({ userId, token, jobId, queue, after })
}

/** Looks for the id before it parses: most of a history is of other jobs. */
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
