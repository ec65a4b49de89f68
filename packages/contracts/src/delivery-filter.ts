import { Type, type Static } from 'typebox'
import { DELIVERED_EVENT_TYPES } from './event-types.ts'
import { EventIdText, JobId, QueueName } from './job.ts'
import { Moment } from './moment.ts'

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'superseded', 'closed'] as const

/** Why a delivery exists. */
export const DELIVERY_ORIGINS = ['event', 'redeliver', 'replay', 'test'] as const
export type DeliveryOrigin = typeof DELIVERY_ORIGINS[number]

/** Ids of bulk actions that redeliver start with this: the dispatcher has them. */
export const DELIVERY_BULK_PREFIX = 'deliveries-'

const INT4_MAX = 2_147_483_647

/** One of the values, or several with commas between them. */
function anyOf (values: readonly string[], description: string) {
  const one = `(${values.join('|')})`
  return Type.String({
    maxLength: 200,
    pattern: `^${one}(,${one})*$`,
    description: `${description}: ${values.join(', ')}, or several with commas`,
    examples: [values.at(-1) ?? '']
  })
}

const webhookId = Type.Integer({
  minimum: 1, maximum: INT4_MAX, description: 'Id of a webhook, also of a deleted one'
})

/** What selects deliveries; all that is given has to apply. */
export const deliveryFilter = {
  jobId: Type.Optional(JobId),
  queue: Type.Optional(QueueName),
  eventId: Type.Optional(EventIdText),
  eventType: Type.Optional(anyOf(DELIVERED_EVENT_TYPES, 'Type of the event')),
  status: Type.Optional(anyOf(DELIVERY_STATUSES, 'Status of the delivery')),
  origin: Type.Optional(anyOf(DELIVERY_ORIGINS, 'Why the delivery exists')),
  originId: Type.Optional(Type.Integer({
    minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Id of the redelivered delivery, or of the replay'
  })),
  bulkId: Type.Optional(Type.String({
    pattern: `^${DELIVERY_BULK_PREFIX}[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
    description: 'Id of a bulk action that redelivers: the deliveries that it made',
    examples: [`${DELIVERY_BULK_PREFIX}0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17`]
  })),
  from: Type.Optional(Moment('Created at or after')),
  to: Type.Optional(Moment('Created before'))
}

const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(
    Type.String({ pattern: '^[1-9]\\d{0,15}$', description: '`pagination.next` of the previous page' })
  )
}

/** Query of `GET /webhooks/:id/deliveries` and `GET /webhooks/legacy/deliveries`. */
export const ListDeliveriesQuery = Type.Object({ ...deliveryFilter, ...page }, { additionalProperties: false })
export type ListDeliveriesQuery = Static<typeof ListDeliveriesQuery>

/** Query of `GET /deliveries`. */
export const ListAllDeliveriesQuery = Type.Object({
  webhookId: Type.Optional(webhookId), ...deliveryFilter, ...page
}, { additionalProperties: false })
export type ListAllDeliveriesQuery = Static<typeof ListAllDeliveriesQuery>

/** The filter of deliveries as a body has it: `filter` of a bulk action. */
export const DeliveryFilter = Type.Object({
  webhookId: Type.Optional(webhookId), ...deliveryFilter
}, {
  $id: 'DeliveryFilter',
  additionalProperties: false,
  examples: [{ status: 'failed', eventType: 'completed', from: '2022-01-01' }]
})
export type DeliveryFilter = Static<typeof DeliveryFilter>
