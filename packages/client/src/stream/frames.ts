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

/** Whether an event of this type has what it has to have, by the name of the event in a frame. */
const CHECKS: Record<string, (data: Record<string, unknown>) => boolean> = {
  progress: data => isText(data.queue) && 'progress' in data,
  completed: data => isText(data.queue) && 'result' in data,
  failed: data => isText(data.queue) && isText(data.error),
  state: ({ state }) => state === 'waiting' || state === 'delayed' || state === 'active'
}

const isText = (value: unknown) => typeof value === 'string'

/** A JSON object; undefined where the text is none. */
export function readRecord (http: Http, text: string): Record<string, unknown> | undefined {
  const value = bodyOf(http, text)
  return isRecord(value) ? value : undefined
}

/** The job event that a frame carries; undefined where it carries none, or a malformed one. */
export function jobEventOf ({ event, data }: Frame): JobEvent | undefined {
  const type = event.slice('job:'.length)
  const isWhole = event === `job:${type}` && Object.hasOwn(CHECKS, type) && CHECKS[type]?.(data) &&
    isEventId(data.eventId) && isText(data.jobId) && isText(data.name) && typeof data.timestamp === 'number'
  return isWhole ? { ...data, type } as JobEvent : undefined
}
