import { and, desc, eq, getTableColumns, inArray, lt } from 'drizzle-orm'
import type { DeliveryList, ListDeliveriesQuery } from '@tidings/contracts'
import type { Database } from '../db/sql.ts'
import { deliveries, events, webhooks } from '../db/schema.ts'
import type { WebhookRow } from '../webhooks/webhook-row.ts'
import { toDelivery, type DeliveryRow, type Schedule } from './delivery-row.ts'
import { eventHead, type EventHead } from './subject.ts'

const DEFAULT_LIMIT = 20

/** A page of a webhook's deliveries, newest first. The cursor is the last id shown: pages stay whole while new ones come in. */
export async function listDeliveries (db: Database, webhook: WebhookRow, query: ListDeliveriesQuery): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT } = query
  const rows = await db.select({ row: getTableColumns(deliveries), head: eventHead }).from(deliveries)
    .leftJoin(events, and(eq(events.eventMs, deliveries.eventMs), eq(events.eventSeq, deliveries.eventSeq)))
    .where(and(eq(deliveries.webhookId, webhook.id), isAsked(query)))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  return pageOf(rows.map(({ row, head }) => ({ row, head, webhook })), limit)
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
  const rows = await db.select({ webhook: getTableColumns(webhooks), row: newest._.selectedFields, head: eventHead }).from(webhooks)
    .crossJoinLateral(newest)
    .leftJoin(events, and(eq(events.eventMs, newest.eventMs), eq(events.eventSeq, newest.eventSeq)))
    .where(and(eq(webhooks.userId, userId), inArray(webhooks.kind, ['legacy', 'job'])))
    .orderBy(desc(newest.id))
    .limit(limit + 1)
  return pageOf(rows, limit)
}

function isAsked ({ status, cursor }: ListDeliveriesQuery) {
  return and(status && eq(deliveries.state, status), cursor === undefined ? undefined : lt(deliveries.id, Number(cursor)))
}

/** Of rows of which there is one more than the limit where there is another page. */
function pageOf (rows: { row: DeliveryRow, head: EventHead | null, webhook: Schedule }[], limit: number): DeliveryList {
  const shown = rows.slice(0, limit)
  const next = rows.length > limit ? String(shown.at(-1)?.row.id) : null
  return { deliveries: shown.map(({ row, webhook, head }) => toDelivery(row, webhook, head)), pagination: { limit, next } }
}
