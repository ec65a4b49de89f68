import { Type, type Static, type TSchema } from 'typebox'
import { NullableEnum, nullable } from './nullable.ts'
import { DELIVERED_EVENT_TYPES, type DeliveredEventType } from './event-types.ts'
import { JobId, JobName, QueueName } from './job.ts'
import type { PublishedJobEvent } from './job-event.ts'
import { jsonText, type JsonText } from './json-text.ts'
import { progressOf } from './socket.ts'
import { renderUserId } from './user-id.ts'

export type WebhookEventType = DeliveredEventType | 'all'
export const WEBHOOK_EVENT_TYPES: readonly WebhookEventType[] = [...DELIVERED_EVENT_TYPES, 'all']
const EVENT_TYPE = { description: 'Events that the webhook receives' }
export const WebhookEventType = Type.Enum([...WEBHOOK_EVENT_TYPES], { $id: 'WebhookEventType', ...EVENT_TYPE })

const DeliveredType = Type.Enum([...DELIVERED_EVENT_TYPES], { $id: 'DeliveredEventType' })
export const DeliveredEventTypes = Type.Array(DeliveredType, {
  minItems: 1,
  maxItems: DELIVERED_EVENT_TYPES.length,
  uniqueItems: true,
  examples: [['completed', 'failed']]
})

/** The longest list of a webhook's filter. */
const MAX_FILTERED = 100
const list = <Schema extends typeof QueueName>(item: Schema, description: string) =>
  Type.Array(item, { minItems: 1, maxItems: MAX_FILTERED, uniqueItems: true, description })
const QUEUES = list(QueueName, 'Only events of jobs in these queues')
const NAMES = list(JobName, 'Only events of jobs with these names')
const FILTER = {
  description: 'Of which jobs the webhook receives events: those that match each list; without a list any'
}

export const WebhookFilter = Type.Object(
  { queues: Type.Optional(QUEUES), names: Type.Optional(NAMES) },
  { $id: 'WebhookFilter', additionalProperties: false, ...FILTER }
)
export type WebhookFilter = Static<typeof WebhookFilter>

/** A filter in a body, where null stands for a list that is left out. */
const GivenFilter = Type.Object(
  { queues: Type.Optional(nullable(QUEUES)), names: Type.Optional(nullable(NAMES)) },
  { $id: 'NewWebhookFilter', additionalProperties: false, ...FILTER }
)

export const WebhookStatus = Type.Enum(['active', 'paused', 'disabled'], {
  $id: 'WebhookStatus',
  description: 'paused: by its owner; disabled: it failed for days, or answered that it is gone'
})

export const CIRCUIT_STATES = ['closed', 'failing', 'throttled', 'open', 'half-open'] as const
export type CircuitState = typeof CIRCUIT_STATES[number]
const moment = Type.String({ format: 'date-time' })

/** How the endpoint of a webhook has answered, as all replicas have recorded it. */
export const WebhookHealth = Type.Object({
  circuit: Type.Enum([...CIRCUIT_STATES], {
    $id: 'CircuitState',
    description: 'State of the circuit breaker. closed: the last attempt succeeded, or there was none; failing: the ' +
      'last ones failed; throttled: the endpoint asked for a pause; open: too many failed, so it is paused; ' +
      'half-open: the pause is over, one attempt at a time shows whether it works again'
  }),
  failures: Type.Integer({ minimum: 0, description: 'Attempts that failed in a row' }),
  failingSince: nullable(moment, 'Since when every attempt has failed'),
  openUntil: nullable(moment, 'No attempt is made before; null where nothing is paused'),
  nextAttemptAt: nullable(moment, 'When the next attempt is made, at the earliest; a time that has passed: now. ' +
    'Null where the circuit is closed, where nothing waits, so that the next event is the next attempt, and while ' +
    'the webhook is not active')
}, { $id: 'WebhookHealth', description: 'How the endpoint answers' })
export type WebhookHealth = Static<typeof WebhookHealth>

const PROGRESS_MODES = ['all', 'latest'] as const
const PROGRESS_MODE = {
  description: 'latest: of several pending progress events of a job, only the newest is delivered'
}
export const ProgressMode = Type.Enum([...PROGRESS_MODES], { $id: 'ProgressMode', ...PROGRESS_MODE })

// Postgres stores no text with NUL in it, and a URL parser drops or encodes control characters.
const url = Type.String({ format: 'url', pattern: '^[^\\u0000-\\u001f\\u007f]*$', maxLength: 2048 })
const description = Type.String({ maxLength: 1024, pattern: '^[^\\u0000]*$' })
const headers = Type.Record(Type.String(), Type.String({ maxLength: 4096 }), {
  description: 'Up to 20 custom headers. Stored encrypted and shown as ••••; sending •••• back keeps a value'
})

// Many clients send null for fields that they leave out.
const optional = {
  eventTypes: Type.Optional(nullable(DeliveredEventTypes)),
  filter: Type.Optional(nullable(GivenFilter)),
  description: Type.Optional(nullable(description)),
  active: Type.Optional(nullable(Type.Boolean())),
  headers: Type.Optional(nullable(headers)),
  progressMode: Type.Optional(NullableEnum([...PROGRESS_MODES], PROGRESS_MODE))
}

/** Fields that a GET returns and a PUT does not change: accepted for clients that send the whole object back. */
const readOnly = {
  status: Type.Optional(WebhookStatus),
  disabledReason: Type.Optional(nullable(Type.String())),
  health: Type.Optional(WebhookHealth),
  createdAt: Type.Optional(Type.String({ format: 'date-time' })),
  updatedAt: Type.Optional(Type.String({ format: 'date-time' }))
}

const example = { url: 'https://example.com/webhook', eventType: 'completed', description: 'Job completion webhook' }
const healthy = { circuit: 'closed', failures: 0, failingSince: null, openUntil: null, nextAttemptAt: null }
const failing = {
  circuit: 'open',
  failures: 42,
  failingSince: '2024-01-01T00:00:00.000Z',
  openUntil: '2024-01-01T00:15:00.000Z',
  nextAttemptAt: '2024-01-01T00:15:00.000Z'
}
const times = { createdAt: '2024-01-01T00:00:00.000Z', updatedAt: '2024-01-01T00:00:00.000Z' }
const shown = {
  id: 1,
  ...example,
  eventTypes: ['completed'],
  filter: {},
  active: true,
  status: 'active',
  disabledReason: null,
  health: healthy,
  headers: {},
  progressMode: 'all',
  ...times
}
const filtered = {
  url: 'https://example.com/reports',
  eventTypes: ['completed', 'failed'],
  filter: { queues: ['reports'], names: ['monthly', 'yearly'] }
}
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo='

/** Body of `POST /webhooks`, with `eventType`, `eventTypes`, or both if they agree. */
export const CreateWebhook = Type.Object({
  url,
  eventType: Type.Optional(NullableEnum([...WEBHOOK_EVENT_TYPES], EVENT_TYPE)),
  ...optional
}, { $id: 'NewWebhook', additionalProperties: false, examples: [example, filtered] })
export type CreateWebhook = Static<typeof CreateWebhook>

/** Body of `PUT /webhooks/:id`: changes the given fields. The whole response of a GET may be sent back. */
export const UpdateWebhook = Type.Object({
  url: Type.Optional(nullable(url)),
  eventType: Type.Optional(NullableEnum([...WEBHOOK_EVENT_TYPES], EVENT_TYPE)),
  ...optional,
  id: Type.Optional(Type.Integer()),
  ...readOnly
}, {
  $id: 'WebhookChange',
  additionalProperties: false,
  minProperties: 1,
  examples: [{ eventType: 'all', active: false }]
})
export type UpdateWebhook = Static<typeof UpdateWebhook>

export const Webhook = Type.Object({
  id: Type.Integer(),
  url: Type.String(),
  eventType: WebhookEventType,
  eventTypes: Type.Array(DeliveredType, {
    description: 'The same as a list: `eventType` is `all`, the only one, or the first of several'
  }),
  filter: WebhookFilter,
  description: Type.Union([Type.String(), Type.Null()]),
  active: Type.Boolean(),
  status: WebhookStatus,
  disabledReason: Type.Union([Type.String(), Type.Null()]),
  health: WebhookHealth,
  headers: Type.Record(Type.String(), Type.String()),
  progressMode: ProgressMode,
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' })
}, { $id: 'Webhook', description: 'The webhook', examples: [shown, { ...shown, health: failing }] })
export type Webhook = Static<typeof Webhook>

/** The response of `POST /webhooks`; the secret is shown here and on `GET /webhooks/:id/secret`. */
export const CreatedWebhook = Type.Object({ ...Webhook.properties, secret: Type.String({ pattern: '^whsec_' }) }, {
  $id: 'CreatedWebhook',
  description: 'The webhook, with its secret',
  examples: [{ ...shown, secret }]
})
export type CreatedWebhook = Static<typeof CreatedWebhook>

export const WebhookList = Type.Object(
  { webhooks: Type.Array(Webhook) },
  { $id: 'WebhookList', description: 'All webhooks, oldest first', examples: [{ webhooks: [shown] }] }
)
export type WebhookList = Static<typeof WebhookList>

export const WebhookSecret = Type.Object({
  secret: Type.String({ pattern: '^whsec_', description: 'The key that verifies the deliveries (Standard Webhooks)' }),
  replacedUntil: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'Until when the replaced secret signs too; null where there is none, or it has ended'
  })
}, { $id: 'WebhookSecret', description: 'The current secret', examples: [{ secret, replacedUntil: null }] })
export type WebhookSecret = Static<typeof WebhookSecret>

/** Body of `PUT /webhooks/legacy`. */
export const PutLegacyWebhook = Type.Object(
  { webhookUrl: url, ...readOnly },
  { $id: 'NewLegacyWebhook', additionalProperties: false, examples: [{ webhookUrl: example.url }] }
)
export type PutLegacyWebhook = Static<typeof PutLegacyWebhook>

/** The user's one legacy URL, which receives completions. */
export const LegacyWebhook = Type.Object({
  webhookUrl: Type.String(),
  status: WebhookStatus,
  disabledReason: Type.Union([Type.String(), Type.Null()]),
  health: WebhookHealth,
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' })
}, {
  $id: 'LegacyWebhook',
  description: 'The legacy webhookUrl',
  examples: [
    { webhookUrl: example.url, status: 'active', disabledReason: null, health: healthy, ...times }
  ]
})
export type LegacyWebhook = Static<typeof LegacyWebhook>

/** The body of a webhook delivery: exactly these fields, in this order. */
export type WebhookPayload = {
  id: string
  jobname: string
  userId: number | string
  eventType: DeliveredEventType
  progress?: unknown
  progressTruncated?: true
  result?: unknown
  resultTruncated?: true
  error?: string
  errorTruncated?: true
}

const deliveredHead = {
  id: JobId, jobname: JobName, userId: Type.Union([Type.Integer(), Type.String()], { $id: 'UserId' })
}
const bodySchema = (eventType: DeliveredEventType, fields: Record<string, TSchema>, $id: string) =>
  Type.Object({ ...deliveredHead, ...fields, eventType: Type.Literal(eventType) }, { $id })
const isTruncated = Type.Optional(Type.Literal(true, { description: '`GET /jobs/:jobId` has the whole value' }))

/** Schemas of the bodies of deliveries. */
export const WebhookBody = {
  progress: bodySchema(
    'progress', { progress: Type.Unknown(), progressTruncated: isTruncated }, 'ProgressDelivery'
  ),
  completed: bodySchema(
    'completed', { result: Type.Unknown(), resultTruncated: isTruncated }, 'CompletionDelivery'
  ),
  failed: bodySchema('failed', { error: Type.String(), errorTruncated: isTruncated }, 'FailureDelivery')
} as const satisfies Record<DeliveredEventType, TSchema>

export type WebhookMessage = { eventType: WebhookPayload['eventType'], body: JsonText }

/** The message that webhooks receive for an event, as JSON; undefined for a type that they do not receive. */
export function webhookMessage (event: PublishedJobEvent): WebhookMessage | undefined {
  switch (event.type) {
    case 'progress': return { eventType: event.type, body: bodyOf(event, 'progress', progressOf(event)) }
    case 'completed': return { eventType: event.type, body: bodyOf(event, 'result', event.result ?? jsonText(null)) }
    case 'failed': return { eventType: event.type, body: bodyOf(event, 'error', jsonText(event.error ?? '')) }
    case 'added':
    case 'waiting':
    case 'delayed':
    case 'active':
    case 'replaced': return undefined
    default: event.type satisfies never
  }
}

function bodyOf (event: PublishedJobEvent, name: 'progress' | 'result' | 'error', value: JsonText): JsonText {
  const head = JSON.stringify({ id: event.jobId, jobname: event.name, userId: renderUserId(event.userId) })
  const flag = event[`${name}Truncated`] ? `,"${name}Truncated":true` : ''
  return `${head.slice(0, -1)},"${name}":${value}${flag},"eventType":"${event.type}"}` as JsonText
}
