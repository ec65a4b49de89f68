import { Type, type Static } from 'typebox'
import { EVENT_TYPES, type JobSocketEvent } from './event-types.ts'
import { EventIdText, Job, JobId, JobName, JobState, QueueName } from './job.ts'
import type { PublishedJobEvent } from './job-event.ts'
import { jsonText, jsonWith, type JsonText } from './json-text.ts'
import { renderUserId } from './user-id.ts'

const UserId = Type.Union([Type.Integer(), Type.String()], { $id: 'UserId' })

const head = {
  eventId: EventIdText,
  jobId: JobId,
  name: JobName,
  queue: QueueName,
  userId: UserId,
  timestamp: Type.Integer()
}

const Truncated = (description: string) => Type.Optional(Type.Literal(true, { description }))

export const JobProgressPayload = Type.Object({
  ...head,
  progress: Type.Unknown(),
  progressTruncated: Truncated('The progress is larger than 64 KiB: `GET /jobs/:jobId` returns it')
}, { $id: 'JobProgress' })
export type JobProgressPayload = Static<typeof JobProgressPayload>

export const JobCompletedPayload = Type.Object({
  ...head,
  result: Type.Unknown(),
  resultTruncated: Truncated('The result is larger than 64 KiB: `GET /jobs/:jobId` returns it')
}, { $id: 'JobCompleted' })
export type JobCompletedPayload = Static<typeof JobCompletedPayload>

export const JobFailedPayload = Type.Object({
  ...head,
  error: Type.String(),
  errorTruncated: Truncated(
    'The error is larger than 64 KiB; this is its beginning: `GET /jobs/:jobId` returns the whole'
  )
}, { $id: 'JobFailed' })
export type JobFailedPayload = Static<typeof JobFailedPayload>

export const JobStatePayload = Type.Object({
  eventId: EventIdText,
  jobId: JobId,
  name: JobName,
  state: JobState,
  timestamp: Type.Integer()
}, { $id: 'JobStateChange' })
export type JobStatePayload = Static<typeof JobStatePayload>

/** Sent once after connect. `lastEventId` is the position from which this session is complete. */
export const SessionPayload = Type.Object({
  userId: UserId,
  recovered: Type.Boolean(),
  lastEventId: EventIdText,
  expiresAt: Type.Union(
    [Type.Integer(), Type.Null()], { description: 'When the token expires, in milliseconds; null: never' }
  )
}, { $id: 'Session' })
export type SessionPayload = Static<typeof SessionPayload>

/** Payload of `subscribe:job`: the id alone, or an object. */
export const SubscribeJob = Type.Union([
  JobId,
  Type.Object({
    jobId: JobId,
    queue: Type.Optional(QueueName),
    lastEventId: Type.Optional(EventIdText)
  }, { additionalProperties: false })
], { $id: 'SubscribeJob' })
export type SubscribeJob = Static<typeof SubscribeJob>

/** How every refused command is answered. */
const refusal = {
  error: Type.String({ description: 'docs/errors.md lists them' }),
  detail: Type.Optional(Type.String({ description: 'What is expected' })),
  retryAfterMs: Type.Optional(Type.Integer({ description: 'When to try again' }))
}

export const SubscribeJobAck = Type.Union([
  Type.Object({ ok: Type.Literal(true), job: Job, lastEventId: EventIdText, recovered: Type.Boolean() }),
  Type.Object({
    ok: Type.Literal(false),
    ...refusal,
    retrying: Type.Optional(Type.Boolean(
      { description: 'The request is kept and tried again; its outcome is sent as `subscribe:ok` or `subscribe:error`' }
    ))
  })
], { $id: 'SubscribeAck' })
export type SubscribeJobAck = Static<typeof SubscribeJobAck>

/** Sent in place of an ack: for a request without one, or one whose ack said `retrying`. */
export const SubscribeOkPayload = Type.Object(
  { jobId: JobId, job: Job, lastEventId: EventIdText, recovered: Type.Boolean() }, { $id: 'SubscribeOk' }
)
export type SubscribeOkPayload = Static<typeof SubscribeOkPayload>

/** The first failure (`retrying`) and the final one of a request without an ack. */
export const SubscribeErrorPayload = Type.Object({
  jobId: Type.Optional(JobId),
  error: Type.String(),
  detail: Type.Optional(Type.String()),
  retrying: Type.Boolean(),
  retryAfterMs: Type.Optional(Type.Integer())
}, { $id: 'SubscribeError' })
export type SubscribeErrorPayload = Static<typeof SubscribeErrorPayload>

/** Payload of `unsubscribe:job`. */
export const UnsubscribeJob = Type.Union([
  JobId,
  Type.Object({ jobId: JobId, queue: Type.Optional(QueueName) }, { additionalProperties: false })
], { $id: 'UnsubscribeJob' })
export type UnsubscribeJob = Static<typeof UnsubscribeJob>

export const UnsubscribeJobAck = Type.Union([
  Type.Object({ ok: Type.Literal(true) }),
  Type.Object({ ok: Type.Literal(false), ...refusal })
], { $id: 'UnsubscribeAck' })

/** Payload of `auth:refresh`: a new token of the same user. */
export const AuthRefresh = Type.Union([
  Type.String({ minLength: 1, maxLength: 16_384 }),
  Type.Object({ token: Type.String({ minLength: 1, maxLength: 16_384 }) }, { additionalProperties: false })
], { $id: 'RefreshToken' })

const expiresAt = Type.Union([Type.Integer(), Type.Null()], {
  description: 'When the token expires, in milliseconds; null: never'
})

export const AuthRefreshAck = Type.Union([
  Type.Object({ ok: Type.Literal(true), expiresAt }),
  Type.Object({ ok: Type.Literal(false), ...refusal })
], { $id: 'RefreshAck' })

/** Sent in place of the ack of an `auth:refresh` that asked for none. */
export const AuthRefreshedPayload = Type.Object({ expiresAt }, { $id: 'Refreshed' })
export const AuthErrorPayload = Type.Object({ error: Type.String() }, { $id: 'RefreshError' })

/** Sent in place of the ack of any other refused command that asked for none. */
export const CommandErrorPayload = Type.Object({ command: Type.String(), ...refusal }, { $id: 'CommandError' })

/** What `/ws` answers to a message that is no command. */
export const MalformedPayload = Type.Object({ ok: Type.Literal(false), ...refusal }, { $id: 'Malformed' })

export const AuthExpiringPayload = Type.Object({ expiresAt: Type.Integer() }, { $id: 'TokenExpiring' })
export const DrainingPayload = Type.Object({}, { $id: 'Draining' })
export type AuthRefreshAck = Static<typeof AuthRefreshAck>

/** Sent before the gateway ends a session; `reconnect` is false where only a new token helps. */
export const SessionEndPayload = Type.Object({
  reason: Type.Enum(['expired', 'revoked', 'slow', 'draining', 'resync', 'unavailable', 'failed', 'not_found']),
  reconnect: Type.Boolean()
}, { $id: 'SessionEnd' })
export type SessionEndPayload = Static<typeof SessionEndPayload>

/** Response of `POST /auth/ticket`. */
export const Ticket = Type.Object({
  ticket: Type.String({ description: 'Opens one event stream, as `?ticket=`' }),
  expiresIn: Type.Integer({ description: 'Seconds' })
}, { $id: 'Ticket' })
export type Ticket = Static<typeof Ticket>

export type JobPayload = JobProgressPayload | JobCompletedPayload | JobFailedPayload | JobStatePayload

/** Stands for a value that an event does not have. */
const NONE = jsonText(null)
/** Stands for progress that an event does not have. */
const NO_PROGRESS = jsonText(0)

/**
 * The message that the owner's clients receive for an event: the name of the socket event and its payload as JSON.
 * Undefined for `added` (a `waiting` or `delayed` follows it) and `replaced`.
 */
export function socketMessage (event: PublishedJobEvent): { event: JobSocketEvent, json: JsonText } | undefined {
  const { eventId, jobId, name, queue, timestamp } = event
  const head = { eventId, jobId, name, queue, userId: renderUserId(event.userId), timestamp }
  switch (event.type) {
    case 'progress': return {
      event: EVENT_TYPES.progress.socket, json: jsonWith(flagged(head, event), 'progress', progressOf(event))
    }
    case 'completed': return {
      event: EVENT_TYPES.completed.socket, json: jsonWith(flagged(head, event), 'result', event.result ?? NONE)
    }
    case 'failed': return {
      event: EVENT_TYPES.failed.socket, json: jsonText({ ...flagged(head, event), error: event.error ?? '' })
    }
    case 'waiting':
    case 'delayed':
    case 'active': return {
      event: EVENT_TYPES[event.type].socket, json: jsonText({ eventId, jobId, name, state: event.type, timestamp })
    }
    case 'added':
    case 'replaced': return undefined
    default: event.type satisfies never
  }
}

/** Progress as channels show it: 0 where the event has none, null where it is too large for an event. */
export function progressOf (
  { progress, progressTruncated }: Pick<PublishedJobEvent, 'progress' | 'progressTruncated'>
): JsonText {
  return progress ?? (progressTruncated ? NONE : NO_PROGRESS)
}

type Flags = {
  progressTruncated?: true | undefined, resultTruncated?: true | undefined, errorTruncated?: true | undefined
}

/** The payload with a flag for each value that was too large for the event. */
export function flagged<Head extends object> (
  head: Head, { progressTruncated, resultTruncated, errorTruncated }: Flags
): Head & Flags {
  if (!progressTruncated && !resultTruncated && !errorTruncated) return head
  return {
    ...head,
    ...(progressTruncated &&
    { progressTruncated }),
    ...(resultTruncated && { resultTruncated }),
    ...(errorTruncated && { errorTruncated })
  }
}
