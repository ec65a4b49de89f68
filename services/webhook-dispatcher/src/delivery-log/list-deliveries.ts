import { and, desc, eq, inArray, isNull, lt } from 'drizzle-orm'
import type { DeliveryList, ListDeliveriesQuery } from '@tidings/contracts'
import type { Database } from '../db/database.ts'
import { deliveries, webhooks } from '../db/schema.ts'
import { toDelivery, type DeliveryRow } from './delivery.ts'

const DEFAULT_LIMIT = 20

/** A page of a webhook's deliveries, newest first. The cursor is the last id shown: pages stay whole while new ones come in. */
export async function listDeliveries (db: Database, webhookId: number, query: ListDeliveriesQuery): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT } = query
  const rows = await db.select().from(deliveries)
    .where(and(eq(deliveries.webhookId, webhookId), isAsked(query)))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  return pageOf(rows, limit)
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
    .where(and(eq(webhooks.userId, userId), inArray(webhooks.kind, ['legacy', 'job']), isNull(webhooks.deletedAt)))
    .orderBy(desc(newest.id))
    .limit(limit + 1)
  return pageOf(rows.map(({ newest }) => newest), limit)
}

function isAsked ({ status, cursor }: ListDeliveriesQuery) {
  return and(status && eq(deliveries.state, status), cursor === undefined ? undefined : lt(deliveries.id, Number(cursor)))
}

/** Of rows of which there is one more than the limit where there is another page. */
function pageOf (rows: DeliveryRow[], limit: number): DeliveryList {
  const shown = rows.slice(0, limit)
  const next = rows.length > limit ? String(shown.at(-1)?.id) : null
  return { deliveries: shown.map(toDelivery), pagination: { limit, next } }
}
