import { PageHead } from '../shell/page.tsx'
import { DeliveryLog } from './delivery-log.tsx'

/** The deliveries to all webhooks, deleted ones and those of webhookUrls included. */
export default function DeliveriesPage () {
  return (
    <>
      <PageHead title='Deliveries' />
      <DeliveryLog empty='Each event that goes to a webhook appears here, with every attempt.' />
    </>
  )
}
