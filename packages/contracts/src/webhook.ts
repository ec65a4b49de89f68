import { Type, type Static } from 'typebox'
import { EventIdText } from './job.ts'
import type { ToldJobEvent } from './job-event.ts'
import { renderUserId } from './user-id.ts'

export const WEBHOOK_EVENT_TYPES = ['progress', 'completed', 'failed', 'all'] as const
export const WebhookEventType = Type.Enum([...WEBHOOK_EVENT_TYPES])
export type WebhookEventType = typeof WEBHOOK_EVENT_TYPES[number]

export const WebhookStatus = Type.Enum(['active', 'paused', 'disabled'])
export const ProgressMode = Type.Enum(['all', 'latest'])

const url = Type.String({ format: 'url', maxLength: 2048 })
// Postgres has no text with NUL in it.
const description = Type.String({ maxLength: 1024, pattern: '^[^\\u0000]*$' })
const headers = Type.Record(Type.String(), Type.String({ maxLength: 4096 }), { description: 'Up to 20 headers of your own' })

/** Body of `POST /webhooks`. */
export const CreateWebhook = Type.Object({
  url,
  eventType: WebhookEventType,
  description: Type.Optional(description),
  active: Type.Optional(Type.Boolean()),
  headers: Type.Optional(headers),
  progressMode: Type.Optional(ProgressMode)
}, { additionalProperties: false })
export type CreateWebhook = Static<typeof CreateWebhook>

/** Body of `PUT /webhooks/:id`: what it names is changed. */
export const UpdateWebhook = Type.Partial(CreateWebhook, { additionalProperties: false, minProperties: 1 })
export type UpdateWebhook = Static<typeof UpdateWebhook>

export const Webhook = Type.Object({
  id: Type.Integer(),
  url: Type.String(),
  eventType: WebhookEventType,
  description: Type.Union([Type.String(), Type.Null()]),
  active: Type.Boolean(),
  status: WebhookStatus,
  disabledReason: Type.Union([Type.String(), Type.Null()]),
  headers: Type.Record(Type.String(), Type.String()),
  progressMode: ProgressMode,
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' })
})
export type Webhook = Static<typeof Webhook>

/** The answer to `POST /webhooks`; the secret is shown here and on `GET /webhooks/:id/secret`. */
export const CreatedWebhook = Type.Object({ ...Webhook.properties, secret: Type.String({ pattern: '^whsec_' }) })
export type CreatedWebhook = Static<typeof CreatedWebhook>

export const WebhookList = Type.Object({ webhooks: Type.Array(Webhook) })
export type WebhookList = Static<typeof WebhookList>

export const WebhookSecret = Type.Object({
  secret: Type.String({ pattern: '^whsec_', description: 'What verifies the deliveries (Standard Webhooks)' })
})
export type WebhookSecret = Static<typeof WebhookSecret>

/** Body of `PUT /webhooks/legacy`. */
export const PutLegacyWebhook = Type.Object({ webhookUrl: url }, { additionalProperties: false })
export type PutLegacyWebhook = Static<typeof PutLegacyWebhook>

/** The user's one legacy URL: it is told of completions. */
export const LegacyWebhook = Type.Object({
  webhookUrl: Type.String(),
  status: WebhookStatus,
  disabledReason: Type.Union([Type.String(), Type.Null()]),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' })
})
export type LegacyWebhook = Static<typeof LegacyWebhook>

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'superseded', 'closed'] as const
export const DeliveryStatus = Type.Enum([...DELIVERY_STATUSES], {
  description: 'pending: will be tried; failed: the retries are used up; superseded: newer news of the job went first; closed: the webhook was disabled'
})

export const DELIVERY_ORIGINS = ['event', 'redeliver', 'replay', 'test'] as const

/** Why an attempt was no success. */
export const ATTEMPT_ERROR_CLASSES = [
  'dns', 'connect', 'tls', 'timeout', 'reset', 'too-large', 'http-4xx', 'http-5xx', 'redirect', 'blocked'
] as const
export type AttemptErrorClass = typeof ATTEMPT_ERROR_CLASSES[number]

const NullableInteger = Type.Union([Type.Integer(), Type.Null()])
const NullableString = Type.Union([Type.String(), Type.Null()])
const NullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
const NullableErrorClass = Type.Union([Type.Enum([...ATTEMPT_ERROR_CLASSES]), Type.Null()])

/** One telling of one event to one webhook. */
export const Delivery = Type.Object({
  id: Type.Integer(),
  webhookId: Type.Integer({ description: 'Id of the webhook it goes to' }),
  eventId: Type.String({ description: 'The header `webhook-id` of each attempt' }),
  eventType: Type.String(),
  origin: Type.Enum([...DELIVERY_ORIGINS], { description: 'What it comes from' }),
  originId: Type.Union([Type.Integer(), Type.Null()], { description: 'The delivery that is repeated, or the replay' }),
  status: DeliveryStatus,
  attemptCount: Type.Integer(),
  nextAttemptAt: NullableTime,
  statusCode: Type.Union([Type.Integer(), Type.Null()], { description: 'What the last attempt was answered' }),
  errorClass: NullableErrorClass,
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Why it was closed' }),
  createdAt: Type.String({ format: 'date-time' }),
  finishedAt: NullableTime
})
export type Delivery = Static<typeof Delivery>

/** Durations are milliseconds; dns and connect only where the attempt opened the connection. */
export const DeliveryAttempt = Type.Object({
  attempt: Type.Integer(),
  startedAt: Type.String({ format: 'date-time' }),
  durations: Type.Object({ dnsMs: NullableInteger, connectMs: NullableInteger, ttfbMs: NullableInteger, totalMs: Type.Integer() }),
  statusCode: NullableInteger,
  errorClass: NullableErrorClass,
  message: NullableString,
  responseHeaders: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
  responseBody: Type.Union([Type.String(), Type.Null()], { description: 'The first 16 KiB' })
})
export type DeliveryAttempt = Static<typeof DeliveryAttempt>

/** A delivery as `GET /deliveries/:id` shows it. */
export const DeliveryDetail = Type.Object({
  ...Delivery.properties,
  payload: Type.Unknown({ description: 'The body that is posted, null once it is no longer kept' }),
  attempts: Type.Array(DeliveryAttempt)
})
export type DeliveryDetail = Static<typeof DeliveryDetail>

/** Query of `GET /webhooks/:id/deliveries`. */
export const ListDeliveriesQuery = Type.Object({
  status: Type.Optional(DeliveryStatus),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,14}$', description: '`pagination.next` of the page before' }))
}, { additionalProperties: false })
export type ListDeliveriesQuery = Static<typeof ListDeliveriesQuery>

export const DeliveryList = Type.Object({
  deliveries: Type.Array(Delivery),
  pagination: Type.Object({
    limit: Type.Integer(),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page, null at the end' })
  })
})
export type DeliveryList = Static<typeof DeliveryList>

/** Body of `POST /webhooks/:id/replay`. */
export const RequestReplay = Type.Object({
  since: Type.Union([Type.String({ format: 'date-time' }), EventIdText], { description: 'A time, or the id of the last event that is not wanted again' })
}, { additionalProperties: false })
export type RequestReplay = Static<typeof RequestReplay>

/** Everything since a moment, told once more. */
export const Replay = Type.Object({
  id: Type.Integer(),
  webhookId: Type.Integer(),
  status: Type.Enum(['running', 'finished']),
  told: Type.Integer({ description: 'Deliveries made so far' }),
  createdAt: Type.String({ format: 'date-time' }),
  finishedAt: NullableTime
})
export type Replay = Static<typeof Replay>

/** The body of a webhook delivery: exactly these fields, in this order. */
export type WebhookPayload = {
  id: string
  jobname: string
  userId: number | string
  eventType: 'progress' | 'completed' | 'failed'
  progress?: unknown
  result?: unknown
  resultTruncated?: true
  error?: string
}

/** What webhooks are told of an event, or undefined where its type is none of theirs. */
export function webhookPayload (event: ToldJobEvent): WebhookPayload | undefined {
  const head = { id: event.jobId, jobname: event.name, userId: renderUserId(event.userId) }
  switch (event.type) {
    case 'progress': return { ...head, progress: event.progress ?? 0, eventType: 'progress' }
    case 'completed': return {
      ...head,
      result: event.result ?? null,
      ...(event.resultTruncated && { resultTruncated: true as const }),
      eventType: 'completed'
    }
    case 'failed': return { ...head, error: event.error ?? '', eventType: 'failed' }
    default: return undefined
  }
}
