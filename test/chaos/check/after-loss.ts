import type { Job } from '@tidings/contracts'
import { compareIds, type Received, type Recorder } from '../channels/recorder.ts'
import type { WebhookRecorder } from '../channels/webhook.ts'
import type { SentJob } from '../load/load.ts'
import { addFindings, noFindings, type Findings } from './findings.ts'
import { LARGE, textOf } from './values.ts'

type Channel = Pick<Recorder | WebhookRecorder, 'channel' | 'received'> & Partial<Pick<Recorder, 'unrecovered'>>

interface AfterLoss {
  job: SentJob
  channels: readonly Channel[]
  /** The job as REST shows it; undefined for 404. */
  shown: Job | undefined
}

const isEnd = ({ type }: Received) => type === 'completed' || type === 'failed'

/** The ends of a job that a channel received. */
export function endsOf ({ received }: Pick<Channel, 'received'>, { id }: SentJob): Received[] {
  return (received.get(id) ?? []).filter(isEnd)
}

/**
 * Whether a channel has the end of a job, or was notified that it missed it: other channels received it under an id
 * that is in the gap of a session that was not recovered.
 */
export function hasEndOrGap (channel: Channel, job: SentJob, channels: readonly Channel[]): boolean {
  if (endsOf(channel, job).length > 0) return true
  const ids = channels.flatMap(other => endsOf(other, job)).map(({ eventId }) => eventId)
  return channel.unrecovered?.some(([from, to]) =>
    ids.some(id => compareIds(id, from) > 0 && compareIds(id, to) <= 0)) ?? false
}

/**
 * What must hold for a job that was there when Redis lost data, whatever BullMQ has recorded of it since: it ended,
 * each channel received its end once (or is a session that knows what it missed), and all agree with REST. A job of
 * another producer that Redis lost before it was adopted is known to nobody.
 */
export function lossFindings ({ job, channels, shown }: AfterLoss): Findings {
  const found = noFindings()
  const subject = `job ${job.id} of ${job.user}`
  const ends = channels.map(channel => ({
    channel: channel.channel, ends: endsOf(channel, job), isExcused: hasEndOrGap(channel, job, channels)
  }))
  if (shown === undefined) {
    const isUnknown = job.isForeign && ends.every(({ ends }) => ends.length === 0)
    if (!isUnknown) found.lost.push(`REST, ${subject}: 404`)
    return found
  }
  if (shown.state !== 'completed' && shown.state !== 'failed') found.lost.push(`REST, ${subject}: is ${shown.state}`)
  const most = 1 + (job.retries ?? 0) + (job.isCancelled ? 1 : 0)
  for (const { channel, ends: received, isExcused } of ends) {
    const last = received.at(-1)
    if (last === undefined) {
      if (!isExcused) found.lost.push(`${channel}, ${subject}: no end`)
    } else if (last.type !== shown.state || !isOutcome(last, shown)) {
      found.wrong.push(`${channel}, ${subject}: ended ${last.type} ${textOf(last.value)}, and not as in REST`)
    }
    if (received.length > most) {
      found.doubled.push(`${channel}, ${subject}: ${received.length} ends: ${received.map(end => end.eventId).join()}`)
    }
  }
  addFindings(found, differences(subject, channels.map(({ received }) => received.get(job.id) ?? [])))
  return found
}

/** REST shows large values whole. */
function isOutcome ({ value }: Received, { state, result, failedReason }: Job): boolean {
  return value === LARGE || textOf(value) === textOf(state === 'failed' ? failedReason : result)
}

/** An event that is another one on another channel. */
function differences (subject: string, lists: Received[][]): Partial<Findings> {
  const texts = new Map<string, string>()
  const wrong = lists.flat().flatMap(({ eventId, type, value }) => {
    const text = `${type} ${textOf(value)}`
    const before = texts.get(eventId) ?? text
    texts.set(eventId, before)
    return before === text ? [] : [`${subject}: ${eventId} is ${before}, and ${text} on another channel`]
  })
  return { wrong }
}
