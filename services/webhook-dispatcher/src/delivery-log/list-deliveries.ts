import { and, desc, eq, getTableColumns, inArray, lt } from 'drizzle-orm'
import type { DeliveryList, ListDeliveriesQuery } from '@tidings/contracts'
import type { Database } from '../db/sql.ts'
import { deliveries, events, webhooks } from '../db/schema.ts'
import type { WebhookRow } from '../webhooks/webhook-row.ts'
import { toDelivery, type DeliveryRow, type Schedule } from './delivery-row.ts'
import { eventHead, type EventHead } from './subject.ts'

const DEFAULT_LIMIT = 20

/** A page of a webhook's deliveries, newest first. The cursor is the last id shown, so that new rows shift no page. */
export async function listDeliveries (
  db: Database, webhook: WebhookRow, query: ListDeliveriesQuery
): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT } = query
  const rows = await db.select({ row: getTableColumns(deliveries), head: eventHead }).from(deliveries)
    .leftJoin(events, and(eq(events.eventMs, deliveries.eventMs), eq(events.eventSeq, deliveries.eventSeq)))
    .where(and(eq(deliveries.webhookId, webhook.id), isRequested(query)))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  return pageOf(rows.map(({ row, head }) => ({ row, head, webhook })), limit)
}

/**
 * The same for a user's legacy webhookUrl and those of jobs, whose webhooks have
 * no public id. The newest rows of each webhook are read: in a plain join
 * Postgres would search the deliveries of all users.
 */
export async function listLegacyDeliveries (
  db: Database, userId: string, query: ListDeliveriesQuery
): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT } = query
  const newest = db.select().from(deliveries)
    .where(and(eq(deliveries.webhookId, webhooks.id), isRequested(query)))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
    .as('newest')
  const rows = await db.select({
    webhook: getTableColumns(webhooks), row: newest._.selectedFields, head: eventHead
  }).from(webhooks)
    .crossJoinLateral(newest)
    .leftJoin(events, and(eq(events.eventMs, newest.eventMs), eq(events.eventSeq, newest.eventSeq)))
    .where(and(eq(webhooks.userId, userId), inArray(webhooks.kind, ['legacy', 'job'])))
    .orderBy(desc(newest.id))
    .limit(limit + 1)
  return pageOf(rows, limit)
}

function isRequested ({ status, cursor }: ListDeliveriesQuery) {
  return and(
    status && eq(deliveries.state, status), cursor === undefined ? undefined : lt(deliveries.id, Number(cursor))
  )
}

type FoundRow = { row: DeliveryRow, head: EventHead | null, webhook: Schedule }

/** One row more than the limit shows that there is another page. */
function pageOf (rows: FoundRow[], limit: number): DeliveryList {
  const shown = rows.slice(0, limit)
  const next = rows.length > limit ? String(shown.at(-1)?.row.id) : null
  return {
    deliveries: shown.map(({ row, webhook, head }) => toDelivery(row, webhook, head)),
    pagination: { limit, next }
  }
}
