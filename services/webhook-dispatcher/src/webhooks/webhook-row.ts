import { and, eq, isNull, sql, type InferSelectModel } from 'drizzle-orm'
import createError from '@fastify/error'
import type { Webhook, WebhookHealth } from '@tidings/contracts'
import { webhooks } from '../db/schema.ts'
import type { Database } from '../db/sql.ts'
import { eventTypeOf, eventTypesOf } from './event-types.ts'

export type WebhookRow = InferSelectModel<typeof webhooks>

/** A user's webhook by its id. */
export type WebhookKey = { userId: string, id: number }

/** For another user's webhook too: its existence is not revealed. */
export const WebhookNotFound = createError('WEBHOOK_NOT_FOUND', 'No webhook %s', 404)

/** Deliveries to a disabled webhook would be closed at once, and a test of a paused one would wait for nobody. */
export const WebhookNotActive = createError('WEBHOOK_NOT_ACTIVE', 'The webhook is %s: make it active first', 409)

/** `updated_at` only grows, so a higher value is always the newer row, even after a failover to a slower clock. */
export const TOUCH = { updatedAt: sql`greatest(now(), ${webhooks.updatedAt} + interval '1 ms')` }

/** Clears what is known of an endpoint's failures, as when its URL changes; its lost deliveries are due again. */
export const RESET_CIRCUIT = { failingSince: null, failures: 0, openUntil: null, recoverAt: sql`now()` } as const

/** The owner declares the endpoint healthy. */
export const REACTIVATE = { status: 'active', disabledReason: null, ...RESET_CIRCUIT } as const

/** A webhook as its owner sees it. */
export function toWebhook (row: WebhookRow, health: WebhookHealth): Webhook {
  const { id, url, filter, description, status, disabledReason, headers, progressMode, createdAt, updatedAt } = row
  const eventTypes = eventTypesOf(row)
  return {
    id,
    url,
    eventType: eventTypeOf(eventTypes),
    eventTypes,
    filter: filter ?? {},
    description,
    active: status === 'active',
    status,
    disabledReason,
    health,
    headers,
    progressMode,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString()
  }
}

/** The webhooks that a user has created: not the legacy one, not the hidden ones of jobs. */
export function isOwn (userId: string) {
  return and(eq(webhooks.userId, userId), eq(webhooks.kind, 'own'), isNull(webhooks.deletedAt))
}

/** Until the end of the transaction no other one changes what is limited or unique for this user. */
export async function lockUser (tx: Database, userId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks of ${userId}`}, 0))`)
}
