import type { RedeliveryObstacle } from '@tidings/contracts'
import type { FoundDelivery } from './find-delivery.ts'

/** What keeps a delivery from being delivered again; null: nothing. A redelivery reactivates the webhook of a job. */
export function redeliveryObstacle (
  { row, payload, webhook }: Pick<FoundDelivery, 'row' | 'payload' | 'webhook'>
): RedeliveryObstacle | null {
  if (webhook.deletedAt !== null) return 'webhook-deleted'
  if (row.state === 'pending') return 'pending'
  if (payload === null) return 'payload-gone'
  return webhook.status === 'disabled' && webhook.kind !== 'job' ? 'webhook-disabled' : null
}
