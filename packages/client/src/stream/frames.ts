import { isRecord } from '../errors.ts'
import { isEventId } from '../event-id.ts'
import { bodyOf, type Http } from '../http.ts'
import type { JobEvent } from '../types.ts'

/** One message of a channel. */
export interface Frame {
  event: string
  data: Record<string, unknown>
  /** Of its text, in characters. */
  size: number
}

/** The longest frame that is read, in characters. The services' longest has 64 KiB of text, escaped. */
export const MAX_FRAME = 1024 * 1024

/** Of a job that has not ended. */
export const isOpenState = (state: unknown) => state === 'waiting' || state === 'delayed' || state === 'active'

const isText = (value: unknown) => typeof value === 'string'

/** A JSON object; undefined where the text is none. */
export function readRecord (http: Http, text: string): Record<string, unknown> | undefined {
  const value = bodyOf(http, text)
  return isRecord(value) ? value : undefined
}

/** The job event that a frame carries; undefined where it carries none, or a malformed one. */
export function jobEventOf ({ event, data }: Frame): JobEvent | undefined {
  const type = event.slice('job:'.length)
  const isWhole = event === `job:${type}` && isEventId(data.eventId) && isText(data.jobId) && isText(data.name) &&
    typeof data.timestamp === 'number' && isComplete(type, data)
  return isWhole ? { ...data, type } as JobEvent : undefined
}

/** Whether there is an event of this type, and the data has what it has to have. */
function isComplete (type: string, data: Record<string, unknown>): boolean {
  if (type === 'state') return isOpenState(data.state)
  if (!isText(data.queue)) return false
  if (type === 'failed') return isText(data.error)
  return (type === 'progress' && 'progress' in data) || (type === 'completed' && 'result' in data)
}
