import type { Job, SubscribeJobAck } from '@tidings/contracts'
import { formatEventId, isNewer, newest, parseEventId, ZERO, type Entry, type EventId } from '@tidings/job-events'
import type { FoundJob, LookUps } from '../jobs/look-ups.ts'
import type { Metrics } from '../metrics.ts'
import type { History } from './history.ts'
import { messageOf, type Message } from './message.ts'
import { resume } from './resume.ts'
import type { Session, Subscription } from './session.ts'
import { isPassing, SubscribeRequest, type Asker, type Outcome, type WantedJob } from './subscribe-request.ts'

export type SubscribeOptions = {
  history: History
  lookUps: LookUps
  metrics: Metrics
  maxSubscriptions: number
  /** How long a job that is not known yet is looked for. */
  unknownJobMs: number
}

type Refused = Extract<SubscribeJobAck, { ok: false }>

type Asking = Asker & {
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
export async function subscribe (session: Session, wanted: WantedJob, options: SubscribeOptions, asking: Asking): Promise<void> {
  if (session.hasEnded) return
  const asker = counted(asking, options.metrics)
  const tell = asker.answer ?? asker.notify
  const known = session.subscriptions.get(wanted.jobId)
  if (known?.request?.join(wanted, asker)) return
  if (known && !known.request) return await lookAgain(session, wanted, known, options, tell)
  if (known) session.unsubscribe(wanted.jobId) // it is asked for from elsewhere now
  if (session.subscriptions.size >= options.maxSubscriptions) return tell({ ack: refusal('too many subscriptions'), retrying: false })

  const request = new SubscribeRequest(wanted, asker)
  await attemptUntilOver(session, session.subscribe(wanted, request), { ...options, request, isOver: asking.isOver ?? isOverOf(options) })
}

function counted ({ answer, notify, from }: Asker, metrics: Metrics): Asker {
  const count = (tell: (outcome: Outcome) => void) => (outcome: Outcome) => {
    metrics.subscriptions.inc({ outcome: outcome.ack.ok ? 'ok' : outcome.ack.error.replaceAll(' ', '_') })
    tell(outcome)
  }
  return { answer: answer && count(answer), notify: count(notify), from }
}

const isOverOf = ({ unknownJobMs }: SubscribeOptions) => (error: string, sinceMs: number) =>
  !isPassing(error) || (error === 'not found' && sinceMs >= unknownJobMs)

type AttemptOptions = SubscribeOptions & { request: SubscribeRequest, isOver: (error: string, sinceMs: number) => boolean }

async function attemptUntilOver (session: Session, subscription: Subscription, options: AttemptOptions): Promise<void> {
  const { request, isOver } = options
  for (;;) {
    const ack = await attempt(session, subscription, options)
    if (request.isCancelled) return request.end(refusal('unsubscribed'))
    if (ack.ok) return goLive(subscription, ack, request)
    const isLast = isOver(ack.error, request.sinceMs)
    if (isLast) session.unsubscribe(request.wanted.jobId)
    request.refused(ack, { retrying: !isLast })
    if (isLast) return
    await request.pause()
  }
}

/** In one turn: what was held up to the snapshot, the snapshot, and what follows it. */
function goLive (subscription: Subscription, ack: SubscribeJobAck & { ok: true }, request: SubscribeRequest) {
  const { feed } = subscription
  if (request.wantsAllSince) feed.releaseUpTo(lastEventOf(ack.job as Job))
  subscription.request = undefined
  request.end(request.wantsAllSince ? { ...ack, lastEventId: formatEventId(feed.position) } : ack)
  feed.release()
}

async function attempt (session: Session, subscription: Subscription, options: AttemptOptions): Promise<SubscribeJobAck> {
  try {
    return await join(session, subscription, options)
  } catch (err) {
    options.request.fault = err
    return refusal('unavailable')
  }
}

async function join (session: Session, subscription: Subscription, { history, lookUps, request }: AttemptOptions): Promise<SubscribeJobAck> {
  const { feed } = subscription
  const { wanted, wantsAllSince } = request
  const asked = newest(feed.heldFrom, request.seen)
  let found = await find(session, wanted, asked, lookUps)
  if (!found.ok) return found
  subscription.queue = found.job.queue

  const recovered = await catchUp(session, subscription, { history, request, job: found.job })
  // The client, or what was held, was further than the snapshot: it gets one that is as far.
  if (isNewer(feed.position, asked)) found = await find(session, wanted, feed.position, lookUps)

  if (!found.ok) return found
  // A client that goes by the snapshot is told what follows that.
  if (!recovered && !wantsAllSince) feed.position = feed.completeFrom = newest(feed.position, lastEventOf(found.job))
  subscription.recovered = recovered
  return { ok: true, job: found.job, lastEventId: formatEventId(feed.position), recovered }
}

/** Tells what was missed since the client's position, or since it asked where that was lost on the way. */
async function catchUp (session: Session, { feed }: Subscription, { history, request, job }: Pick<AttemptOptions, 'history' | 'request'> & { job: Job }): Promise<boolean> {
  const { wanted: { lastEventId }, wantsAllSince } = request
  const named = lastEventId === undefined ? undefined : parseEventId(lastEventId)
  const isWhole = wantsAllSince && !named && !feed.overflowed
  if (isWhole) {
    feed.position = feed.completeFrom = newest(feed.position, feed.heldFrom)
    return true
  }
  // What an attempt before this one has told is not told again.
  const told = isNewer(feed.position, ZERO) ? feed.position : undefined
  const since = told ?? named ?? (wantsAllSince ? request.askedFrom : undefined)
  return await resume(session, feed, { history, since, read: readerOf(job) })
}

/** A job that is subscribed to already goes on as it does; the client gets a new snapshot. */
async function lookAgain (session: Session, wanted: WantedJob, { feed, queue, recovered }: Subscription, { lookUps }: SubscribeOptions, tell: (outcome: Outcome) => void): Promise<void> {
  const { position } = feed
  const found = await find(session, wanted, position, lookUps)
  const isOther = found.ok && found.job.queue !== queue
  const ack = !found.ok
    ? found
    : isOther
      ? refusal('already subscribed to this id in another queue')
      : { ok: true as const, job: found.job, lastEventId: formatEventId(position), recovered }
  tell({ ack, retrying: false })
}

async function find ({ userId, token }: Session, { jobId, queue }: WantedJob, after: EventId, lookUps: LookUps): Promise<FoundJob> {
  return await lookUps.find({ userId, token, jobId, queue, after })
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
