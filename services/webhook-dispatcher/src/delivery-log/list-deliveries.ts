import { and, desc, eq, inArray, lt } from 'drizzle-orm'
import type { DeliveryList, ListDeliveriesQuery } from '@tidings/contracts'
import type { Database } from '../db/database.ts'
import { deliveries, webhooks } from '../db/schema.ts'
import type { WebhookRow } from '../webhooks/webhook.ts'
import { toDelivery, type DeliveryRow, type Schedule } from './delivery.ts'

const DEFAULT_LIMIT = 20

/** A page of a webhook's deliveries, newest first. The cursor is the last id shown: pages stay whole while new ones come in. */
export async function listDeliveries (db: Database, webhook: WebhookRow, query: ListDeliveriesQuery): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT } = query
  const rows = await db.select().from(deliveries)
    .where(and(eq(deliveries.webhookId, webhook.id), isAsked(query)))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  return pageOf(rows.map(row => ({ row, webhook })), limit)
}

/**
 * The same of a user's legacy webhookUrl and those of jobs, which are no
 * webhooks that anybody could ask for by their ids. Of each its newest are
 * read: in one go Postgres would look for them among everybody's.
 */
export async function listLegacyDeliveries (db: Database, userId: string, query: ListDeliveriesQuery): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT } = query
  const newest = db.select().from(deliveries)
    .where(and(eq(deliveries.webhookId, webhooks.id), isAsked(query)))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
    .as('newest')
  const rows = await db.select().from(webhooks)
    .crossJoinLateral(newest)
    .where(and(eq(webhooks.userId, userId), inArray(webhooks.kind, ['legacy', 'job'])))
    .orderBy(desc(newest.id))
    .limit(limit + 1)
  return pageOf(rows.map(({ newest: row, webhooks: webhook }) => ({ row, webhook })), limit)
}

function isAsked ({ status, cursor }: ListDeliveriesQuery) {
  return and(status && eq(deliveries.state, status), cursor === undefined ? undefined : lt(deliveries.id, Number(cursor)))
}

/** Of rows of which there is one more than the limit where there is another page. */
function pageOf (rows: { row: DeliveryRow, webhook: Schedule }[], limit: number): DeliveryList {
  const shown = rows.slice(0, limit)
  const next = rows.length > limit ? String(shown.at(-1)?.row.id) : null
  return { deliveries: shown.map(({ row, webhook }) => toDelivery(row, webhook)), pagination: { limit, next } }
}
