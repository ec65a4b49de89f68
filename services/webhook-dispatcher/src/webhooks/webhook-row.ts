import { and, eq, isNull, type InferSelectModel } from 'drizzle-orm'
import createError from '@fastify/error'
import type { Webhook } from '@tidings/contracts'
import { webhooks } from '../db/schema.ts'

export type WebhookRow = InferSelectModel<typeof webhooks>

/** A user's webhook by its id. */
export type WebhookKey = { userId: string, id: number }

/** Of another user, too: who may not know of it learns nothing. */
export const WebhookNotFound = createError('WEBHOOK_NOT_FOUND', 'No webhook %s', 404)

/** A webhook as its owner sees it. */
export function toWebhook (row: WebhookRow): Webhook {
  const { id, url, eventType, description, status, disabledReason, headers, progressMode, createdAt, updatedAt } = row
  return {
    id,
    url,
    eventType,
    description,
    active: status === 'active',
    status,
    disabledReason,
    headers,
    progressMode,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString()
  }
}

/** The webhooks that a user has made here: not the legacy one, not the hidden ones of jobs. */
export function isOwn (userId: string) {
  return and(eq(webhooks.userId, userId), eq(webhooks.kind, 'own'), isNull(webhooks.deletedAt))
}
