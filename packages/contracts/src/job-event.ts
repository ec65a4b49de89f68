import { Type, type Static } from 'typebox'
import { JOB_EVENT_TYPES } from './event-types.ts'
import { EventIdText } from './job.ts'
import type { JsonText } from './json-text.ts'

/** Readers ignore fields that they do not know; an event of a higher version stops them and is never skipped. */
export const JOB_EVENT_VERSION = 1

/**
 * Progress and results of more bytes are left out of an event, errors are cut: `progressTruncated`, `resultTruncated`
 * or `errorTruncated` says so.
 */
export const MAX_VALUE_IN_EVENT = 64 * 1024
/** Up to this many bytes the whole value is stored beside the event, and `GET /jobs/:jobId` returns it. */
export const MAX_KEPT_VALUE = 1024 * 1024

/**
 * The payload of an entry of the job-event stream (field `d`); its id is that of the entry and is not repeated inside.
 * `added` is published once per incarnation of a job; `waiting` or `delayed` follows it. `replaced` ends a job of
 * another producer whose place in the queue another job took (a scheduler that was upserted, a debounced job): its row
 * is removed, and clients do not receive the event. `progress` and `result` are the worker's own JSON: texts here,
 * values of the document in the entry.
 */
export const JobEvent = Type.Object({
  v: Type.Integer({ minimum: 1 }),
  type: Type.Enum([...JOB_EVENT_TYPES]),
  queue: Type.String(),
  jobId: Type.String(),
  name: Type.String(),
  /** The owner as text; `renderUserId` makes the form that clients see. */
  userId: Type.String(),
  /** When BullMQ (or the reconciliation) wrote it, in milliseconds. */
  timestamp: Type.Integer(),
  /** For adopted jobs: BullMQ's stream id of the job's `added`, since BullMQ's counter ids repeat. */
  generation: Type.Optional(Type.String()),
  /**
   * For `added` and all events of adopted jobs: when the job was created, in milliseconds, and its maximum of attempts.
   */
  created: Type.Optional(Type.Integer()),
  attempts: Type.Optional(Type.Integer()),
  /** For `delayed`: when the job is due, in milliseconds. */
  dueAt: Type.Optional(Type.Integer()),
  /** For `waiting`: a finished job was opened again (a retry); its result is void. */
  reopened: Type.Optional(Type.Literal(true)),
  progress: Type.Optional(Type.Unsafe<JsonText>({})),
  progressTruncated: Type.Optional(Type.Literal(true)),
  result: Type.Optional(Type.Unsafe<JsonText>({})),
  resultTruncated: Type.Optional(Type.Literal(true)),
  error: Type.Optional(Type.String()),
  errorTruncated: Type.Optional(Type.Literal(true)),
  /** For `waiting` and `delayed`: why the attempt failed after which the job is tried again; at most 4 KiB. */
  attemptError: Type.Optional(Type.String()),
  /** For events that webhooks receive: the job's own webhookUrl, where its submission selected this type for it. */
  webhookUrl: Type.Optional(Type.String()),
  /**
   * For adopted jobs: the scheduler (`repeat:<id>`) or the deduplication id (`de:<id>`) under which at most one job is
   * pending in BullMQ; a later job of the same slot replaces an earlier one.
   */
  slot: Type.Optional(Type.String()),
  /** For `replaced`: the id of the successor, where it is known. */
  replacedBy: Type.Optional(Type.String()),
  /** The event is the conclusion of a reconciliation, not an event of BullMQ. */
  reconciled: Type.Optional(Type.Literal(true))
})
export type JobEvent = Static<typeof JobEvent>

/**
 * A job event with its id, which is the same in every channel. `repeats` is the id under which the same end was
 * published before it was trimmed from the stream, or lost: rows take it in, and channels that have delivered it skip
 * this one. `mayRepeat` marks an end that may have been published before, under an id that is not known.
 */
export type PublishedJobEvent = JobEvent & { eventId: string, repeats?: string, mayRepeat?: true }
export const PublishedJobEvent = Type.Intersect([JobEvent, Type.Object({
  eventId: EventIdText,
  repeats: Type.Optional(EventIdText),
  mayRepeat: Type.Optional(Type.Literal(true))
})])
