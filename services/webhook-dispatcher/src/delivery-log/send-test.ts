import { randomUUID } from 'node:crypto'
import { renderUserId, type Delivery, type WebhookPayload } from '@tidings/contracts'
import type { Database } from '../db/sql.ts'
import { deliveries } from '../db/schema.ts'
import { eventTypeOf, eventTypesOf } from '../webhooks/event-types.ts'
import { WebhookNotActive, type WebhookRow } from '../webhooks/webhook-row.ts'
import { toDelivery, type DeliveryRow } from './delivery-row.ts'

/**
 * Records the delivery of a sample event, of a type that the webhook receives; it is claimed and sent like any other.
 * @throws WebhookNotActive
 */
export async function sendTest (db: Database, webhook: WebhookRow): Promise<Delivery> {
  if (webhook.status !== 'active') throw new WebhookNotActive(webhook.status)
  const payload = testPayload(webhook)
  const [inserted] = await db.insert(deliveries)
    .values({
      webhookId: webhook.id,
      eventMs: 0,
      eventSeq: 0,
      type: payload.eventType,
      origin: 'test',
      state: 'pending',
      messageId: `test-${randomUUID()}`,
      body: JSON.stringify(payload)
    })
    .returning()
  return toDelivery(inserted as DeliveryRow, webhook, null)
}

function testPayload (webhook: WebhookRow): WebhookPayload {
  const head = { id: 'test', jobname: 'test', userId: renderUserId(webhook.userId) }
  const eventType = eventTypeOf(eventTypesOf(webhook))
  switch (eventType) {
    case 'progress': return { ...head, progress: 50, eventType }
    case 'failed': return { ...head, error: 'A test of this webhook', eventType }
    case 'completed':
    case 'all': return { ...head, result: 'A test of this webhook', eventType: 'completed' }
    default: return eventType satisfies never
  }
}
