import type { Job, SubscribeJobAck } from '@tidings/contracts'
import { formatEventId, isNewer, newest, parseEventId, ZERO, type Entry, type EventId } from '@tidings/job-events'
import type { JobsApi } from '../jobs/jobs-api.ts'
import type { Metrics } from '../metrics.ts'
import type { History } from './history.ts'
import { messageOf, type Message } from './message.ts'
import { resume } from './resume.ts'
import type { Session, Subscription } from './session.ts'

export type SubscribeOptions = { history: History, jobsApi: JobsApi, metrics: Metrics, maxSubscriptions: number }

export type WantedJob = { jobId: string, queue?: string | undefined, lastEventId?: string | undefined }

type Answer = (ack: SubscribeJobAck) => void

/**
 * Subscribes a session to a job. The job is held first; then jobs-api says
 * whether it is this user's, in a snapshot that knows all up to where holding
 * began; then what was missed is told; then, in one turn, come the answer,
 * what was held, and what is live.
 */
export async function subscribe (session: Session, wanted: WantedJob, options: SubscribeOptions, tell: Answer): Promise<void> {
  const { jobsApi, maxSubscriptions, metrics } = options
  const answer: Answer = ack => {
    metrics.subscriptions.inc({ outcome: ack.ok ? 'ok' : ack.error.replaceAll(' ', '_') })
    tell(ack)
  }
  const known = session.subscriptions.get(wanted.jobId)
  if (known) return answer(await lookAgain(session, wanted, known, jobsApi))
  if (session.subscriptions.size >= maxSubscriptions) return answer({ ok: false, error: 'too many subscriptions' })

  const subscription = session.subscribe(wanted.jobId, wanted.queue)
  const ack = await join(session, wanted, subscription, options).catch((err: unknown) => {
    leave(session, wanted.jobId, subscription)
    throw err
  })
  if (!ack.ok) leave(session, wanted.jobId, subscription)
  answer(ack)
  if (ack.ok) subscription.feed.release()
}

async function join (session: Session, wanted: WantedJob, subscription: Subscription, { history, jobsApi }: SubscribeOptions): Promise<SubscribeJobAck> {
  const { feed } = subscription
  const asked = feed.heldFrom
  let found = await jobsApi.find({ ...wanted, token: session.token, after: asked })
  if (!found.ok) return found
  subscription.queue = found.job.queue

  const since = wanted.lastEventId === undefined ? undefined : parseEventId(wanted.lastEventId)
  const recovered = await resume(session, feed, { history, since, read: readerOf(found.job) })
  // The client, or what was held, was further than the snapshot: it gets one that is as far.
  if (isNewer(feed.position, asked)) found = await jobsApi.find({ ...wanted, token: session.token, after: feed.position })

  if (!found.ok) return found
  // A client that goes by the snapshot is told what follows that.
  if (!recovered) feed.position = feed.completeFrom = newest(feed.position, lastEventOf(found.job))
  if (session.subscriptions.get(wanted.jobId) !== subscription) return { ok: false, error: 'unsubscribed' }
  subscription.recovered = recovered
  return { ok: true, job: found.job, lastEventId: formatEventId(feed.position), recovered }
}

/** A job that is subscribed to already goes on as it does; the client gets a new snapshot. */
async function lookAgain (session: Session, wanted: WantedJob, { feed, queue, recovered }: Subscription, jobsApi: JobsApi): Promise<SubscribeJobAck> {
  if (feed.isHolding) return { ok: false, error: 'already subscribing' }
  const { position } = feed
  const found = await jobsApi.find({ ...wanted, token: session.token, after: position })
  if (!found.ok) return found
  if (found.job.queue !== queue) return { ok: false, error: 'already subscribed to this id in another queue' }
  return { ok: true, job: found.job, lastEventId: formatEventId(position), recovered }
}

/** Looks for the id before it parses: most of a history is of other jobs. */
function readerOf ({ id, queue }: Job) {
  const named = JSON.stringify(id)
  return (entry: Entry): Message | undefined => {
    const message = entry.payload.includes(named) ? messageOf(entry) : undefined
    return message?.jobId === id && message.queue === queue ? message : undefined
  }
}

function leave (session: Session, jobId: string, subscription: Subscription) {
  if (session.subscriptions.get(jobId) === subscription) session.subscriptions.delete(jobId)
}

function lastEventOf ({ lastEventId }: Job): EventId {
  return (lastEventId === null ? undefined : parseEventId(lastEventId)) ?? ZERO
}
