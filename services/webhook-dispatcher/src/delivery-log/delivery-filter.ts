import {
  DELIVERY_BULK_PREFIX, type DeliveryFilter, type DeliveryOrigin, type DeliveryStatus
} from '@tidings/contracts'
import { parseEventId, type EventId } from '@tidings/job-events'
import { invalidInput, MOMENT_FORMS, momentOf, type InputFault } from '@tidings/service-kit'
import type { WebhookRow } from '../webhooks/webhook-row.ts'

/** Whose webhooks: undefined for all users'. */
export type Owner = { userId: string | undefined, kinds?: WebhookRow['kind'][], webhookId?: number | undefined }

/** What selects deliveries: all that is given has to apply. Times are milliseconds. */
export type DeliverySelection = Owner & {
  jobId: string | undefined
  queue: string | undefined
  eventId: EventId | undefined
  eventTypes: string[] | undefined
  statuses: DeliveryStatus[] | undefined
  origins: DeliveryOrigin[] | undefined
  originId: number | undefined
  /** A UUID: those that a bulk action made. */
  bulkId: string | undefined
  /** Created at or after. */
  from: number | undefined
  /** Created before. */
  to: number | undefined
}

/**
 * Reads a filter as a query or a body has it (`at`: 'querystring', 'body.filter').
 * @throws INVALID_INPUT with every fault and its path
 */
export function selectionOf (owner: Owner, filter: DeliveryFilter, at = 'querystring'): DeliverySelection {
  const faults: InputFault[] = []
  function read<T> (name: keyof DeliveryFilter, parse: (text: string) => T | undefined, what: string) {
    const text = filter[name]
    if (text === undefined) return undefined
    const value = parse(String(text))
    if (value === undefined) faults.push({ path: `${at}.${name}`, message: `must be ${what}` })
    return value
  }
  const selection = {
    ...owner,
    webhookId: owner.webhookId ?? filter.webhookId,
    jobId: filter.jobId,
    queue: filter.queue,
    eventId: read('eventId', parseEventId, 'the id of an event'),
    eventTypes: listOf<string>(filter.eventType),
    statuses: listOf<DeliveryStatus>(filter.status),
    origins: listOf<DeliveryOrigin>(filter.origin),
    originId: filter.originId,
    bulkId: filter.bulkId?.slice(DELIVERY_BULK_PREFIX.length),
    from: read('from', momentOf, MOMENT_FORMS),
    to: read('to', momentOf, MOMENT_FORMS)
  }
  if (faults.length > 0) throw invalidInput(faults)
  return selection
}

/** The schema has checked the values. */
function listOf<Value extends string> (text: string | undefined): Value[] | undefined {
  return text ? text.split(',') as Value[] : undefined
}
