import createError from '@fastify/error'
import { eq } from 'drizzle-orm'
import type { Delivery, RedeliveryObstacle } from '@tidings/contracts'
import type { Database } from '../db/sql.ts'
import { allDeliveries, deliveries, webhooks } from '../db/schema.ts'
import { toDelivery, type DeliveryKey, type DeliveryRow } from './delivery-row.ts'
import { findDelivery } from './find-delivery.ts'
import { redeliveryObstacle } from './redelivery-obstacle.ts'
import { REACTIVATE, TOUCH, WebhookNotActive } from '../webhooks/webhook-row.ts'

const StillPending = createError('STILL_PENDING', 'The delivery is still being tried', 409)
const WebhookDeleted = createError('WEBHOOK_DELETED', 'The webhook was deleted', 409)
const PayloadGone = createError('PAYLOAD_GONE', 'The payload is no longer kept', 410)

/**
 * Delivers the event of a delivery once more: as a new delivery outside the
 * order, with the same webhook-id. Each request makes one. The disabled webhook
 * of a job's own webhookUrl is reactivated.
 * @throws DeliveryNotFound, WebhookDeleted, StillPending, PayloadGone, WebhookNotActive
 */
export async function redeliver (db: Database, key: DeliveryKey): Promise<Delivery> {
  const found = await findDelivery(db, key)
  const { row, webhook, head } = found
  const obstacle = redeliveryObstacle(found)
  if (obstacle) throw refusal(obstacle)
  const { webhookId, eventMs, eventSeq, type, messageId, body, url } = row
  return await db.transaction(async tx => {
    const isReactivated = webhook.status === 'disabled'
    if (isReactivated) await tx.update(webhooks).set({ ...REACTIVATE, ...TOUCH }).where(eq(webhooks.id, webhook.id))
    await tx.update(allDeliveries).set({ lostAt: null }).where(eq(allDeliveries.id, row.id))
    const [inserted] = await tx.insert(deliveries)
      .values({
        webhookId,
        eventMs,
        eventSeq,
        type,
        messageId,
        body,
        url,
        origin: 'redeliver',
        originId: originalOf(row),
        state: 'pending'
      })
      .returning()
    const shown = isReactivated ? { ...webhook, ...REACTIVATE, recoverAt: null } : webhook
    return toDelivery(inserted as DeliveryRow, shown, head)
  })
}

function refusal (obstacle: RedeliveryObstacle): Error {
  switch (obstacle) {
    case 'webhook-deleted': return new WebhookDeleted()
    case 'pending': return new StillPending()
    case 'payload-gone': return new PayloadGone()
    case 'webhook-disabled': return new WebhookNotActive('disabled')
    default: return obstacle satisfies never
  }
}

/** The original delivery, for a redelivery of a redelivery too. */
function originalOf ({ id, origin, originId }: DeliveryRow): number {
  return origin === 'redeliver' && originId !== null ? originId : id
}
