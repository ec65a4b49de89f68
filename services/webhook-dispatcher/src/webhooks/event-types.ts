import { DELIVERED_EVENT_TYPES, type DeliveredEventType, type WebhookEventType } from '@tidings/contracts'
import type { WebhookRow } from './webhook-row.ts'

type Columns = Pick<WebhookRow, 'eventType' | 'eventTypes'>
type Given = { eventType?: WebhookEventType | undefined, eventTypes?: DeliveredEventType[] | undefined }

/** The types of events that a webhook receives. */
export function eventTypesOf ({ eventType, eventTypes }: Columns): DeliveredEventType[] {
  if (eventType !== 'all') return [eventType]
  return eventTypes ?? [...DELIVERED_EVENT_TYPES]
}

/** How these types read in the field `eventType`: `all`, the only one, or the first of several. */
export function eventTypeOf (types: DeliveredEventType[]): WebhookEventType {
  const [first = 'all'] = types
  return DELIVERED_EVENT_TYPES.every(type => types.includes(type)) ? 'all' : first
}

/** The columns for the types in a body; undefined where it has none. */
export function eventTypeColumns ({ eventType, eventTypes }: Given): Columns | undefined {
  if (!eventTypes) return eventType && { eventType, eventTypes: null }
  const single = eventTypes.length === 1 || eventTypeOf(eventTypes) === 'all'
  return single ? { eventType: eventTypeOf(eventTypes), eventTypes: null } : { eventType: 'all', eventTypes }
}

/** The fault of a body whose two fields disagree. */
export function eventTypesFault ({ eventType, eventTypes }: Given): string | undefined {
  if (!eventType || !eventTypes || eventTypeOf(eventTypes) === eventType) return undefined
  return `must agree with eventType, which is ${eventType} where these types are ${eventTypeOf(eventTypes)}: ` +
    'one of the two is enough'
}
