import { socketMessage } from '@tidings/contracts'
import { decode, type Entry, type EventId } from '@tidings/job-events'
import { Frame } from './frame.ts'

type MessageJob = { jobId: string, queue: string, timestamp: number }

/** Identifies a job among its owner's. A queue's name holds no colon. */
const jobKey = (queue: string, jobId: string) => `${queue}:${jobId}`

type MessageEntry = Pick<Entry, 'id' | 'repeats' | 'mayRepeat'>

/** A job event on its way to sessions. */
export class Message {
  readonly id: EventId
  readonly jobId: string
  readonly queue: string
  readonly jobKey: string
  readonly timestamp: number
  readonly isProgress: boolean
  readonly isEnd: boolean
  /** The id under which the same end of the job was published before. */
  repeats: EventId | undefined
  /** Whether it may repeat an end whose id is not known. */
  readonly mayRepeat: boolean
  /** Where it repeats an end: whether that was lost before its reader, the stream tail or a resume, came to it. */
  isUnread = false
  /** The frame for the owner. */
  readonly owner: Frame
  #job: Frame | undefined

  constructor ({ id, repeats, mayRepeat }: MessageEntry, { jobId, queue, timestamp }: MessageJob, owner: Frame) {
    this.id = id
    this.repeats = repeats
    this.mayRepeat = mayRepeat === true
    this.jobId = jobId
    this.queue = queue
    this.jobKey = jobKey(queue, jobId)
    this.timestamp = timestamp
    this.isProgress = owner.event === 'job:progress'
    this.isEnd = owner.event === 'job:completed' || owner.event === 'job:failed'
    this.owner = owner
  }

  /** The frame for the job's subscribers: the same under the job's own name. They receive no `job:state`. */
  get job (): Frame | undefined {
    const { event, json, eventId } = this.owner
    if (event === 'job:state') return undefined
    return (this.#job ??= new Frame(event.replace(':', () => `:${this.jobId}:`), json, eventId))
  }
}

/**
 * The message for sessions in an entry of the stream or of a history; undefined if sessions do not receive such events.
 * @throws UnsupportedJobEvent | MalformedJobEvent
 */
export function messageOf (entry: Entry): Message | undefined {
  const event = decode(entry)
  const payload = socketMessage(event)
  return payload && new Message(entry, event, new Frame(payload.event, payload.json, event.eventId))
}
