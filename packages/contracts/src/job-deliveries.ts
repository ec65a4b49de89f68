import { Type, type Static } from 'typebox'
import { Delivery, deliveryExample as example } from './delivery.ts'
import { EventIdText, JobId, QueueName } from './job.ts'
import { nullable } from './nullable.ts'

/** Deliveries in one response. */
export const MAX_JOB_DELIVERIES = 500

export const JobDeliveriesParams = Type.Object({ jobId: JobId })

/** Query of `GET /jobs/:jobId/deliveries`. */
export const JobDeliveriesQuery = Type.Object({
  queue: Type.Optional(QueueName)
}, { additionalProperties: false })

/** An event of a job, and where it went. */
export const NotifiedEvent = Type.Object({
  eventId: Type.String({ ...EventIdText, description: 'Id of the event: the header `webhook-id` of each attempt' }),
  eventType: Type.String(),
  deliveries: Type.Array(Delivery, { description: 'One per webhook, then redeliveries and replays, oldest first' })
}, {
  $id: 'NotifiedEvent',
  examples: [{ eventId: '1640995300000-0', eventType: 'completed', deliveries: [example] }]
})

/** The response of `GET /jobs/:jobId/deliveries`. */
export const JobDeliveries = Type.Object({
  jobId: JobId,
  queue: nullable(Type.String({ description: 'Queue of the job; null where no event of it went to a webhook' })),
  events: Type.Array(NotifiedEvent, { description: 'Oldest first' }),
  truncated: Type.Optional(Type.Literal(true, {
    description: `There are more than ${MAX_JOB_DELIVERIES} deliveries; these are the newest. GET /deliveries has all`
  }))
}, {
  $id: 'JobDeliveries',
  description: 'The webhooks that the events of the job went to',
  examples: [{
    jobId: '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17',
    queue: 'default',
    events: [{ eventId: '1640995300000-0', eventType: 'completed', deliveries: [example] }]
  }]
})
export type JobDeliveries = Static<typeof JobDeliveries>
