import createError from '@fastify/error'
import type { InferSelectModel } from 'drizzle-orm'
import type { Delivery, DeliveryAttempt } from '@tidings/contracts'
import { formatEventId } from '@tidings/job-events'
import type { attempts, deliveries } from '../db/schema.ts'
import type { WebhookRow } from '../webhooks/webhook-row.ts'
import { subjectOf, type EventHead } from './subject.ts'

export type DeliveryRow = InferSelectModel<typeof deliveries>
export type AttemptRow = InferSelectModel<typeof attempts>

/** A user's delivery by its id. */
export type DeliveryKey = { userId: string, id: number }

export const DeliveryNotFound = createError('DELIVERY_NOT_FOUND', 'No delivery %s', 404)

/** The fields of a webhook that show in its deliveries. */
export type Endpoint = Pick<WebhookRow, 'url' | 'status' | 'openUntil'>

/** A delivery as the webhook's owner sees it. */
export function toDelivery (row: DeliveryRow, endpoint: Endpoint, head: EventHead | null): Delivery {
  const {
    id, webhookId, type, origin, originId, state, attempts, dueAt, status, errorClass, reason, createdAt, finishedAt
  } = row
  return {
    id,
    webhookId,
    url: row.url ?? endpoint.url,
    eventId: row.messageId ?? formatEventId({ ms: row.eventMs, seq: row.eventSeq }),
    eventType: type,
    ...subjectOf(row, head),
    origin,
    originId,
    status: state,
    attemptCount: attempts,
    nextAttemptAt: state === 'pending' ? nextAttemptAt(dueAt, endpoint) : null,
    statusCode: status,
    errorClass,
    reason,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null
  }
}

/** When the pause of the endpoint ends, at the earliest; unknown while the webhook is not active. */
function nextAttemptAt (dueAt: Date, { status, openUntil }: Endpoint): string | null {
  if (status !== 'active') return null
  return (openUntil && openUntil > dueAt ? openUntil : dueAt).toISOString()
}

/** An attempt as the webhook's owner sees it. */
export function toAttempt (row: AttemptRow): DeliveryAttempt {
  const {
    n, startedAt, dnsMs, connectMs, ttfbMs, totalMs, status, errorClass, message, responseHeaders, responseBody
  } = row
  return {
    attempt: n,
    startedAt: startedAt.toISOString(),
    durations: { dnsMs, connectMs, ttfbMs, totalMs },
    statusCode: status,
    errorClass,
    message,
    responseHeaders,
    responseBody
  }
}
