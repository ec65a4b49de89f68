import { and, desc, eq, lt } from 'drizzle-orm'
import type { DeliveryList, ListDeliveriesQuery } from '@tidings/contracts'
import type { Database } from '../db/database.ts'
import { deliveries } from '../db/schema.ts'
import { toDelivery } from './delivery.ts'

const DEFAULT_LIMIT = 20

/** A page of a webhook's deliveries, newest first. The cursor is the last id shown: pages stay whole while new ones come in. */
export async function listDeliveries (db: Database, webhookId: number, query: ListDeliveriesQuery): Promise<DeliveryList> {
  const { status, cursor, limit = DEFAULT_LIMIT } = query
  const rows = await db.select().from(deliveries)
    .where(and(
      eq(deliveries.webhookId, webhookId),
      status && eq(deliveries.state, status),
      cursor === undefined ? undefined : lt(deliveries.id, Number(cursor))
    ))
    .orderBy(desc(deliveries.id))
    .limit(limit + 1)
  const shown = rows.slice(0, limit)
  const next = rows.length > limit ? String(shown.at(-1)?.id) : null
  return { deliveries: shown.map(toDelivery), pagination: { limit, next } }
}
