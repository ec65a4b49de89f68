import { Type, type Static } from 'typebox'
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
