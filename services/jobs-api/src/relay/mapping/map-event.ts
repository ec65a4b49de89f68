import { JOB_EVENT_VERSION, MAX_VALUE_IN_EVENT, type JobEvent, type JsonText } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import type { LargeResult } from './large-values.ts'
import type { Owner } from '../ownership/owner.ts'
import type { QueueEvent } from '../source/bullmq-event.ts'
import { cut, storable } from '../../db/text.ts'
import { isTooDeep, valueOf } from './json-value.ts'

/** What one entry becomes: an event to tell, and beside it what is too large to travel. */
export type Translation = { event: JobEvent, large?: LargeResult }

type Context = { queue: string, owner: Owner, isCancelled: boolean }

/** An entry of BullMQ as a job event; undefined where it tells nothing new. */
export function translate (entry: QueueEvent, { queue, owner, isCancelled }: Context): Translation | undefined {
  const head = headOf(entry, queue, owner)
  const { event, fields } = entry
  switch (event) {
    case 'added': return { event: { ...head, type: 'added', ...birthOf(owner) } }
    case 'active': return { event: { ...head, type: 'active' } }
    case 'delayed': return { event: { ...head, type: 'delayed', ...dueAt(fields.delay) } }
    case 'waiting':
    case 'waiting-children': return { event: { ...head, type: 'waiting', ...(wasFinal(fields.prev) && { reopened: true as const }) } }
    case 'progress': return progress(entry, head)
    case 'completed': return completed(entry, head, owner)
    case 'failed': return failed(head, fields.failedReason ?? '')
    case 'removed': return wasFinal(fields.prev) ? undefined : failed(head, isCancelled ? 'Cancelled by user' : 'Removed from the queue')
    case 'replaced': return { event: { ...head, type: 'replaced', ...(fields.by !== undefined && { replacedBy: fields.by }) } }
    default: return undefined
  }
}

type Head = Pick<JobEvent, 'v' | 'queue' | 'jobId' | 'name' | 'userId' | 'timestamp' | 'generation'>

function headOf ({ id, jobId }: QueueEvent, queue: string, owner: Owner): Head & Partial<JobEvent> {
  const { userId, name, generation } = owner
  return {
    v: JOB_EVENT_VERSION,
    queue,
    jobId,
    name,
    userId,
    timestamp: eventIdOf(id).ms,
    // Whatever is seen first of an adopted job makes its row, and the row's age tells this life of the id from others.
    ...(generation !== undefined && { generation, ...birthOf(owner) })
  }
}

function birthOf ({ created, attempts, slot }: Owner): Pick<JobEvent, 'created' | 'attempts' | 'slot'> {
  return { ...(created !== undefined && { created }), ...(attempts !== undefined && { attempts }), ...(slot !== undefined && { slot }) }
}

function dueAt (delay: string | undefined): Pick<JobEvent, 'dueAt'> {
  const at = Number(delay)
  return Number.isSafeInteger(at) && at > 0 ? { dueAt: at } : {}
}

/** BullMQ names the state that a job leaves. */
function wasFinal (prev: string | undefined): boolean {
  return prev === 'completed' || prev === 'failed'
}

function progress ({ fields }: QueueEvent, head: Head): Translation {
  const value = valueOf(fields.data)
  if (fits(value)) return { event: { ...head, type: 'progress', progress: value } }
  return { event: { ...head, type: 'progress', progressTruncated: true }, large: { head, progress: value } }
}

function completed ({ fields }: QueueEvent, head: Head, { webhookUrl }: Owner): Translation {
  const value = valueOf(fields.returnvalue)
  const event: JobEvent = { ...head, type: 'completed', ...(webhookUrl !== undefined && { webhookUrl }) }
  if (fits(value)) return { event: { ...event, result: value } }
  return { event: { ...event, resultTruncated: true }, large: { head, result: value } }
}

function failed (head: Head, failedReason: string): Translation {
  const error = storable(failedReason)
  const event: JobEvent = { ...head, type: 'failed', error }
  if (Buffer.byteLength(error) <= MAX_VALUE_IN_EVENT) return { event }
  return { event: { ...event, error: cut(error, MAX_VALUE_IN_EVENT), errorTruncated: true }, large: { head, error } }
}

function fits (value: JsonText): boolean {
  return Buffer.byteLength(value) <= MAX_VALUE_IN_EVENT && !isTooDeep(value)
}
