import { socketMessage } from '@tidings/contracts'
import { decode, type Entry, type EventId } from '@tidings/job-events'
import { Frame } from './frame.ts'

/** Identifies a job among its owner's. A queue's name holds no colon. */
export const jobKey = (queue: string, jobId: string) => `${queue}:${jobId}`

/** A job event on its way to sessions. */
export class Message {
  readonly id: EventId
  readonly jobId: string
  readonly queue: string
  readonly jobKey: string
  readonly timestamp: number
  readonly isProgress: boolean
  /** The id under which the same end was told before. */
  readonly repeats: EventId | undefined
  /** What the owner is told. */
  readonly owner: Frame
  #job: Frame | undefined

  constructor ({ id, repeats }: Pick<Entry, 'id' | 'repeats'>, { jobId, queue, timestamp }: { jobId: string, queue: string, timestamp: number }, owner: Frame) {
    this.id = id
    this.repeats = repeats
    this.jobId = jobId
    this.queue = queue
    this.jobKey = jobKey(queue, jobId)
    this.timestamp = timestamp
    this.isProgress = owner.event === 'job:progress'
    this.owner = owner
  }

  /** What the job's subscribers are told: the same under the job's own name; of its states they are not. */
  get job (): Frame | undefined {
    if (this.owner.event === 'job:state') return undefined
    return (this.#job ??= new Frame(this.owner.event.replace(':', () => `:${this.jobId}:`), this.owner.json, this.owner.eventId))
  }
}

/**
 * What an entry of the stream or of a history means to sessions; undefined where it means nothing.
 * @throws UnsupportedJobEvent | MalformedJobEvent
 */
export function messageOf (entry: Entry): Message | undefined {
  const event = decode(entry)
  const payload = socketMessage(event)
  return payload && new Message(entry, event, new Frame(payload.event, payload.json, event.eventId))
}
