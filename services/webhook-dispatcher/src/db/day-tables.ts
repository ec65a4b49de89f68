import { DAY_MS, dayOf, type DayTable } from '@tidings/service-kit'

/** Ids of one day: the id of a delivery is `days since 1970 * IDS_PER_DAY` + a number. */
const IDS_PER_DAY = 100_000_000_000

/** `webhooks.events`: a partition per UTC day of the event. */
export const EVENTS: DayTable = { schema: 'webhooks', table: 'events', key: 'event_ms', perDay: DAY_MS }

/** `webhooks.attempts`: a partition per UTC day in which the delivery was created. */
export const ATTEMPTS: DayTable = { schema: 'webhooks', table: 'attempts', key: 'delivery_id', perDay: IDS_PER_DAY }

/** The lowest id of the deliveries that are created on the day of this time. */
export const firstDeliveryId = (ms: number): number => dayOf(ms) * IDS_PER_DAY
