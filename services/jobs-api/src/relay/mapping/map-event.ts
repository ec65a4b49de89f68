import {
  JOB_EVENT_VERSION, MAX_VALUE_IN_EVENT, type DeliveredEventType, type JobEvent, type JsonText
} from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import { replaceNul } from '@tidings/service-kit'
import { truncateUtf8 } from '../../db/text.ts'
import type { Owner } from '../ownership/owner.ts'
import type { BullmqEvent } from '../source/bullmq-event.ts'
import { isTooDeep, jsonValue } from './json-value.ts'
import type { LargeValue } from './large-values.ts'

/** The job event of an entry, and the value that is too large for it. */
export type MappedEvent = { event: JobEvent, large?: LargeValue }

type Context = {
  queue: string
  owner: Owner
  isCancelled: boolean
  /** Why the attempt failed that the entry ends. */
  attemptError?: string | undefined
}

/** Maps an entry of BullMQ to a job event; undefined if it changes nothing. */
export function mapEvent (
  entry: BullmqEvent, { queue, owner, isCancelled, attemptError }: Context
): MappedEvent | undefined {
  const head = headOf(entry, queue, owner)
  const retry = attemptError === undefined ? undefined : { attemptError }
  const { event, fields } = entry
  switch (event) {
    case 'added': return { event: { ...head, type: 'added', ...creationOf(owner) } }
    case 'active': return { event: { ...head, type: 'active' } }
    case 'delayed': return { event: { ...head, type: 'delayed', ...dueAt(fields.delay), ...retry } }
    // Also the event of a stalled job: BullMQ writes `stalled`, which is not relayed, and `waiting`.
    case 'waiting':
    case 'waiting-children': return waiting(entry, { ...head, ...retry })
    case 'progress': return progress(entry, head, owner)
    case 'completed': return completed(entry, head, owner)
    case 'failed': return failed(fields.failedReason ?? '', head, owner)
    case 'removed': return removed(entry, head, { owner, isCancelled })
    case 'replaced': return replaced(entry, head)
    default: return event satisfies never
  }
}

type Head = Pick<JobEvent, 'v' | 'queue' | 'jobId' | 'name' | 'userId' | 'timestamp' | 'generation'>

function headOf ({ id, jobId }: BullmqEvent, queue: string, owner: Owner): Head & Partial<JobEvent> {
  const { userId, name, generation } = owner
  return {
    v: JOB_EVENT_VERSION,
    queue,
    jobId,
    name,
    userId,
    timestamp: eventIdOf(id).ms,
    // The first event that is seen of an adopted job creates its row; the creation time there identifies the
    // incarnation.
    ...(generation !== undefined && { generation, ...creationOf(owner) })
  }
}

function creationOf ({ created, attempts, slot }: Owner): Pick<JobEvent, 'created' | 'attempts' | 'slot'> {
  return {
    ...(created !== undefined && { created }),
    ...(attempts !== undefined && { attempts }),
    ...(slot !== undefined && { slot })
  }
}

function dueAt (delay: string | undefined): Pick<JobEvent, 'dueAt'> {
  const at = Number(delay)
  return Number.isSafeInteger(at) && at > 0 ? { dueAt: at } : {}
}

/** `prev` is the state that the job leaves. */
function wasFinal (prev: string | undefined): boolean {
  return prev === 'completed' || prev === 'failed'
}

function waiting ({ fields }: BullmqEvent, head: Head): MappedEvent {
  return { event: { ...head, type: 'waiting', ...(wasFinal(fields.prev) && { reopened: true as const }) } }
}

function progress ({ fields }: BullmqEvent, head: Head, owner: Owner): MappedEvent {
  const value = jsonValue(fields.data)
  const event: JobEvent = { ...head, type: 'progress', ...ownWebhook(owner, 'progress') }
  if (fitsInEvent(value)) return { event: { ...event, progress: value } }
  return { event: { ...event, progressTruncated: true }, large: { head, progress: value } }
}

function completed ({ fields }: BullmqEvent, head: Head, owner: Owner): MappedEvent {
  const value = jsonValue(fields.returnvalue)
  const event: JobEvent = { ...head, type: 'completed', ...ownWebhook(owner, 'completed') }
  if (fitsInEvent(value)) return { event: { ...event, result: value } }
  return { event: { ...event, resultTruncated: true }, large: { head, result: value } }
}

function failed (failedReason: string, head: Head, owner: Owner): MappedEvent {
  const error = replaceNul(failedReason)
  const event: JobEvent = { ...head, type: 'failed', error, ...ownWebhook(owner, 'failed') }
  if (Buffer.byteLength(error) <= MAX_VALUE_IN_EVENT) return { event }
  return {
    event: { ...event, error: truncateUtf8(error, MAX_VALUE_IN_EVENT), errorTruncated: true },
    large: { head, error }
  }
}

function removed (
  { fields }: BullmqEvent, head: Head, { owner, isCancelled }: Pick<Context, 'owner' | 'isCancelled'>
): MappedEvent | undefined {
  if (wasFinal(fields.prev)) return undefined
  return failed(isCancelled ? 'Cancelled by user' : 'Removed from the queue', head, owner)
}

function replaced ({ fields: { by } }: BullmqEvent, head: Head): MappedEvent {
  return { event: { ...head, type: 'replaced', ...(by !== undefined && { replacedBy: by }) } }
}

/** The job's own webhookUrl, on the events that it receives: the dispatcher delivers each event that has one. */
function ownWebhook (
  { webhookUrl, webhookEventType: selected = 'completed' }: Owner, type: DeliveredEventType
): Pick<JobEvent, 'webhookUrl'> | undefined {
  return webhookUrl !== undefined && (selected === 'all' || selected === type) ? { webhookUrl } : undefined
}

function fitsInEvent (value: JsonText): boolean {
  return Buffer.byteLength(value) <= MAX_VALUE_IN_EVENT && !isTooDeep(value)
}
