import { Type, type Static } from 'typebox'
import { DELIVERY_ORIGINS, DELIVERY_STATUSES } from './delivery-filter.ts'
import { Int32 } from './int32.ts'

export const DeliveryStatus = Type.Enum([...DELIVERY_STATUSES], {
  $id: 'DeliveryStatus',
  description: 'pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job ' +
    'replaced it; closed: the webhook was disabled'
})
export type DeliveryStatus = Static<typeof DeliveryStatus>

/** Why an attempt failed. */
export const ATTEMPT_ERROR_CLASSES = [
  'dns', 'connect', 'tls', 'timeout', 'reset', 'too-large', 'http-4xx', 'http-5xx', 'redirect', 'blocked'
] as const
export type AttemptErrorClass = typeof ATTEMPT_ERROR_CLASSES[number]

const NullableInteger = Type.Union([Int32(), Type.Null()])
const NullableString = Type.Union([Type.String(), Type.Null()])
const NullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
const NullableErrorClass = Type.Union([Type.Enum([...ATTEMPT_ERROR_CLASSES], { $id: 'AttemptError' }), Type.Null()])

export const deliveryExample = {
  id: 42,
  webhookId: 1,
  url: 'https://example.com/webhook',
  eventId: '1640995300000-0',
  eventType: 'completed',
  jobId: '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17',
  queue: 'default',
  name: 'dataProcessing',
  origin: 'event',
  originId: null,
  status: 'failed',
  attemptCount: 4,
  nextAttemptAt: null,
  statusCode: 500,
  errorClass: 'http-5xx',
  reason: null,
  createdAt: '2022-01-01T00:01:40.012Z',
  finishedAt: '2022-01-01T00:02:51.533Z'
}
const attemptExample = {
  attempt: 4,
  startedAt: '2022-01-01T00:02:51.513Z',
  durations: { dnsMs: null, connectMs: null, ttfbMs: 19, totalMs: 20 },
  statusCode: 500,
  errorClass: 'http-5xx',
  message: 'Answered 500',
  responseHeaders: { 'content-type': 'text/plain' },
  responseBody: 'oh no'
}

/** One event on its way to one webhook, with its attempts. */
export const Delivery = Type.Object({
  id: Type.Integer(),
  webhookId: Type.Integer({ description: 'Id of the webhook' }),
  url: Type.String({ description: 'Where it goes: the URL of the webhook, or the job\'s own webhookUrl' }),
  eventId: Type.String({ description: 'The header `webhook-id` of each attempt' }),
  eventType: Type.String(),
  jobId: Type.Union([Type.String(), Type.Null()], {
    description: 'Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept'
  }),
  queue: NullableString,
  name: Type.Union(
    [Type.String(), Type.Null()], { description: 'Name of the job; null once the payload is no longer kept' }
  ),
  origin: Type.Enum(
    [...DELIVERY_ORIGINS],
    { $id: 'DeliveryOrigin', description: 'Why the delivery exists: an event, a redelivery, a replay or a test' }
  ),
  originId: Type.Union(
    [Type.Integer(), Type.Null()], { description: 'Id of the redelivered delivery or of the replay' }
  ),
  status: DeliveryStatus,
  attemptCount: Int32(),
  nextAttemptAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'Earliest time of the next attempt; null once the delivery has ended and while the webhook is not ' +
      'active'
  }),
  statusCode: Type.Union([Int32(), Type.Null()], { description: 'Status of the last response' }),
  errorClass: NullableErrorClass,
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Why the delivery was closed' }),
  createdAt: Type.String({ format: 'date-time' }),
  finishedAt: NullableTime,
  userId: Type.Optional(Type.Union([Type.Integer(), Type.String()], {
    description: 'Owner of the webhook; only in a list of all users'
  }))
}, { $id: 'DeliverySummary', description: 'The delivery', examples: [deliveryExample] })
export type Delivery = Static<typeof Delivery>

/** Why a delivery cannot be delivered again. */
const REDELIVERY_OBSTACLES = ['pending', 'webhook-deleted', 'webhook-disabled', 'payload-gone'] as const
export type RedeliveryObstacle = typeof REDELIVERY_OBSTACLES[number]

/** Durations are milliseconds; `dnsMs` and `connectMs` only where the attempt opened the connection. */
export const DeliveryAttempt = Type.Object({
  attempt: Int32(),
  startedAt: Type.String({ format: 'date-time' }),
  durations: Type.Object(
    { dnsMs: NullableInteger, connectMs: NullableInteger, ttfbMs: NullableInteger, totalMs: Int32() }
  ),
  statusCode: NullableInteger,
  errorClass: NullableErrorClass,
  message: NullableString,
  responseHeaders: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
  responseBody: Type.Union([Type.String(), Type.Null()], { description: 'The first 16 KiB' })
}, { $id: 'Attempt' })
export type DeliveryAttempt = Static<typeof DeliveryAttempt>

/** The response of `GET /deliveries/:id`. */
export const DeliveryDetail = Type.Object({
  ...Delivery.properties,
  payload: Type.Unknown({ description: 'The request body; null once it is no longer kept' }),
  redeliveryBlockedBy: Type.Union([Type.Enum([...REDELIVERY_OBSTACLES], { $id: 'RedeliveryObstacle' }), Type.Null()], {
    description: 'Why it cannot be delivered again now; null: it can'
  }),
  attempts: Type.Array(DeliveryAttempt)
}, {
  $id: 'Delivery',
  description: 'The delivery with its payload and attempts',
  examples: [{
    ...deliveryExample,
    payload: { id: '123', jobname: 'exampleJob', userId: 1, result: 'job result data', eventType: 'completed' },
    redeliveryBlockedBy: null,
    attempts: [attemptExample]
  }]
})
export type DeliveryDetail = Static<typeof DeliveryDetail>

/** A page of a list of deliveries. */
export const DeliveryList = Type.Object({
  deliveries: Type.Array(Delivery),
  pagination: Type.Object({
    limit: Int32(),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page, null at the end' }),
    truncated: Type.Optional(Type.Literal(true, {
      description: 'The search ended after 8,192 rows, before the page was full; `next` continues there'
    }))
  })
}, {
  $id: 'DeliveryPage',
  description: 'A page of deliveries, newest first',
  examples: [
    { deliveries: [deliveryExample], pagination: { limit: 20, next: '42' } }
  ]
})
export type DeliveryList = Static<typeof DeliveryList>
