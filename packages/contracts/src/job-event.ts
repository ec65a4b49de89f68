import { Type, type Static } from 'typebox'
import { JOB_EVENT_TYPES } from './event-types.ts'
import { EventIdText } from './job.ts'
import type { JsonText } from './json-text.ts'

/** Readers ignore fields they don't know; a higher version than this one stops them: it is never skipped. */
export const JOB_EVENT_VERSION = 1

/**
 * Progress, a result or an error beyond so many bytes does not travel in an event: `progressTruncated`,
 * `resultTruncated` or `errorTruncated` says so. Of an error the beginning travels.
 */
export const MAX_VALUE_IN_EVENT = 64 * 1024
/** Up to so many bytes it is kept whole beside the event, and `GET /jobs/:jobId` has it. */
export const MAX_KEPT_VALUE = 1024 * 1024

/**
 * One entry of the job-event stream, as it stands in field `d`; its id is the
 * stream's own and is not repeated inside. `added` is told once per life of a
 * job; `waiting` or `delayed` follows it. `replaced` ends a job of another producer whose place in the queue another
 * one took (a scheduler that was upserted, a debounced job): its row is removed, and no client receives it. `progress`
 * and `result` are the worker's own JSON: texts here, and values of the document there.
 */
export const JobEvent = Type.Object({
  v: Type.Integer({ minimum: 1 }),
  type: Type.Enum([...JOB_EVENT_TYPES]),
  queue: Type.String(),
  jobId: Type.String(),
  name: Type.String(),
  /** The owner's text; `renderUserId` makes it what clients see. */
  userId: Type.String(),
  /** When BullMQ (or the reconciliation) wrote it, in milliseconds. */
  timestamp: Type.Integer(),
  /** Only of adopted jobs: BullMQ's stream id of the job's `added`, since its counter ids repeat. */
  generation: Type.Optional(Type.String()),
  /** Of `added`, and of all events of an adopted job: when the job was created, in milliseconds, and how many attempts it has. */
  created: Type.Optional(Type.Integer()),
  attempts: Type.Optional(Type.Integer()),
  /** Of `delayed`: when the job is due, in milliseconds. */
  dueAt: Type.Optional(Type.Integer()),
  /** Of `waiting`: a finished job was opened again (a retry); its result is void. */
  reopened: Type.Optional(Type.Literal(true)),
  progress: Type.Optional(Type.Unsafe<JsonText>({})),
  progressTruncated: Type.Optional(Type.Literal(true)),
  result: Type.Optional(Type.Unsafe<JsonText>({})),
  resultTruncated: Type.Optional(Type.Literal(true)),
  error: Type.Optional(Type.String()),
  errorTruncated: Type.Optional(Type.Literal(true)),
  /** Of `completed`: the job's own webhookUrl, given at submit. */
  webhookUrl: Type.Optional(Type.String()),
  /**
   * Of adopted jobs: the scheduler (`repeat:<id>`) or the deduplication id (`de:<id>`) under which at most one job is
   * pending in BullMQ; a later job of the same slot takes the place of an earlier one.
   */
  slot: Type.Optional(Type.String()),
  /** Of `replaced`: the successor's id, where it is known. */
  replacedBy: Type.Optional(Type.String()),
  /** The conclusion of a reconciliation, not told by BullMQ. */
  reconciled: Type.Optional(Type.Literal(true))
})
export type JobEvent = Static<typeof JobEvent>

/**
 * A job event with the id it has in every channel. `repeats` is the id under which the same end was told before it was
 * trimmed off the stream: rows take it in, and who has told that one tells no other.
 */
export type PublishedJobEvent = JobEvent & { eventId: string, repeats?: string }
export const PublishedJobEvent = Type.Intersect([JobEvent, Type.Object({ eventId: EventIdText, repeats: Type.Optional(EventIdText) })])
