import { JOB_EVENT_VERSION, MAX_RESULT_IN_EVENT, type JobEvent } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import type { LargeResult } from './large-results.ts'
import type { Owner } from './owner.ts'
import { MalformedEntry, type QueueEvent } from './queue-event.ts'
import { cut, storable } from './text.ts'

/** What one entry becomes: an event to tell, and beside it what is too large to travel. */
export type Translation = { event: JobEvent, large?: LargeResult }

type Context = { queue: string, owner: Owner, isCancelled: boolean }

/** An entry of BullMQ as a job event; undefined where it tells nothing new. @throws MalformedEntry */
export function translate (entry: QueueEvent, { queue, owner, isCancelled }: Context): Translation | undefined {
  const head = headOf(entry, queue, owner)
  const { event, fields } = entry
  switch (event) {
    case 'added': return { event: { ...head, type: 'added', ...birthOf(owner) } }
    case 'active': return { event: { ...head, type: 'active' } }
    case 'delayed': return { event: { ...head, type: 'delayed', ...dueAt(fields.delay) } }
    case 'waiting':
    case 'waiting-children': return { event: { ...head, type: 'waiting', ...(wasFinal(fields.prev) && { reopened: true as const }) } }
    case 'progress': return { event: { ...head, type: 'progress', progress: progressOf(entry) } }
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

function progressOf (entry: QueueEvent): unknown {
  const { data = 'null' } = entry.fields
  if (Buffer.byteLength(data) > MAX_RESULT_IN_EVENT) throw new MalformedEntry(entry.id, 'progress above 64 KiB does not travel')
  return parse(data, entry)
}

function completed (entry: QueueEvent, head: Head, { webhookUrl }: Owner): Translation {
  const { returnvalue = 'null' } = entry.fields
  const result = parse(returnvalue, entry) // also where it does not travel: it must be JSON to be kept
  const event: JobEvent = { ...head, type: 'completed', ...(webhookUrl !== undefined && { webhookUrl }) }
  if (Buffer.byteLength(returnvalue) <= MAX_RESULT_IN_EVENT) return { event: { ...event, result } }
  return { event: { ...event, resultTruncated: true }, large: { head, result: returnvalue } }
}

function failed (head: Head, failedReason: string): Translation {
  const error = storable(failedReason)
  const event: JobEvent = { ...head, type: 'failed', error }
  if (Buffer.byteLength(error) <= MAX_RESULT_IN_EVENT) return { event }
  return { event: { ...event, error: cut(error, MAX_RESULT_IN_EVENT), resultTruncated: true }, large: { head, error } }
}

function parse (json: string, { id, event }: QueueEvent): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new MalformedEntry(id, `what its ${event} carries is no JSON`, { cause })
  }
}
