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

const STATES: unknown[] = ['waiting', 'delayed', 'active']

/** A frame of the WebSocket; undefined where it is none. */
export function readFrame (http: Http, text: string): Frame | undefined {
  const frame = readRecord(http, text)
  if (!frame || typeof frame.event !== 'string' || !isRecord(frame.data)) return undefined
  return { event: frame.event, data: frame.data, size: text.length }
}

/** A JSON object; undefined where the text is none. */
export function readRecord (http: Http, text: string): Record<string, unknown> | undefined {
  const value = bodyOf(http, text)
  return isRecord(value) ? value : undefined
}

/** The job event that a frame carries; undefined where it carries none, or a malformed one. */
export function jobEventOf ({ event, data }: Frame): JobEvent | undefined {
  const { eventId, jobId, name, timestamp } = data
  if (!isEventId(eventId) || typeof jobId !== 'string' || typeof name !== 'string') return undefined
  if (typeof timestamp !== 'number') return undefined
  const type = event.slice('job:'.length)
  const isOwned = typeof data.queue === 'string'
  const isWhole = event === 'job:state'
    ? STATES.includes(data.state)
    : event === 'job:failed'
      ? isOwned && typeof data.error === 'string'
      : isOwned && ((event === 'job:progress' && 'progress' in data) || (event === 'job:completed' && 'result' in data))
  if (!isWhole) return undefined
  return { ...data, type } as JobEvent
}
