import { and, eq, getTableColumns } from 'drizzle-orm'
import { jsonText, jsonWith, type JsonText } from '@tidings/contracts'
import type { Database } from '../db/sql.ts'
import { allDeliveries, attempts, events, webhooks } from '../db/schema.ts'
import type { WebhookRow } from '../webhooks/webhook-row.ts'
import { DeliveryNotFound, toAttempt, toDelivery, type DeliveryKey, type DeliveryRow } from './delivery-row.ts'
import { redeliveryObstacle } from './redelivery-obstacle.ts'
import { eventHead, type EventHead } from './subject.ts'

export type FoundDelivery = { row: DeliveryRow, payload: JsonText | null, webhook: WebhookRow, head: EventHead | null }

/**
 * A delivery with its payload and its attempts, as JSON.
 * @throws DeliveryNotFound
 */
export async function showDelivery (db: Database, key: DeliveryKey): Promise<JsonText> {
  const found = await findDelivery(db, key)
  const { row, payload, webhook, head } = found
  const tried = await db.select().from(attempts).where(eq(attempts.deliveryId, row.id)).orderBy(attempts.n)
  const shown = {
    ...toDelivery(row, webhook, head),
    redeliveryBlockedBy: redeliveryObstacle(found),
    attempts: tried.map(toAttempt)
  }
  return jsonWith(shown, 'payload', payload ?? jsonText(null))
}

/**
 * A delivery to a webhook of this user: hidden webhooks of jobs and the legacy one included, and deleted ones as long
 * as
 * their deliveries are kept.
 * @throws DeliveryNotFound
 */
export async function findDelivery (db: Database, { userId, id }: DeliveryKey): Promise<FoundDelivery> {
  const [found] = await db
    .select({
      row: getTableColumns(allDeliveries), body: events.body, head: eventHead, webhook: getTableColumns(webhooks)
    })
    .from(allDeliveries)
    .innerJoin(webhooks, and(eq(webhooks.id, allDeliveries.webhookId), eq(webhooks.userId, userId)))
    .leftJoin(events, and(eq(events.eventMs, allDeliveries.eventMs), eq(events.eventSeq, allDeliveries.eventSeq)))
    .where(eq(allDeliveries.id, id))
  if (!found) throw new DeliveryNotFound(id)
  const { row, body, webhook, head } = found
  return { row, payload: (row.body ?? body) as JsonText | null, webhook, head }
}
