import { Type, type Static } from 'typebox'
import { nullable } from './nullable.ts'
import { WebhookStatus } from './webhook.ts'

const Count = (description: string) => Type.Integer({ minimum: 0, description })
const Moment = (description: string) => Type.String({ format: 'date-time', description })

const QueueState = Type.Object({
  queue: Type.String({ description: 'Name of the BullMQ queue' }),
  isPaused: Type.Boolean({ description: 'Workers take no jobs' }),
  waiting: Count('Jobs that wait for a worker, those with a priority too'),
  active: Count('Jobs that a worker holds'),
  delayed: Count('Jobs that wait for their time, or for a retry'),
  waitingChildren: Count('Jobs that wait for their children'),
  relayBacklog: Count('Events of BullMQ that are not relayed yet')
})

/** `GET /operators/queues`: BullMQ's queues, and how far jobs-api is behind them. */
export const QueueStates = Type.Object({
  queues: Type.Array(QueueState, { description: 'Those of JOB_QUEUES, in its order' }),
  projectorLagMs: Count('Age difference of the newest event and the newest one that is in Postgres, in milliseconds'),
  stream: Type.Object({
    events: Count('Events in the stream'),
    bytes: Count('Memory of Redis that it uses')
  })
}, {
  $id: 'QueueStates',
  examples: [{
    queues: [{
      queue: 'default', isPaused: false, waiting: 3, active: 1, delayed: 0, waitingChildren: 0, relayBacklog: 0
    }],
    projectorLagMs: 0,
    stream: { events: 4711, bytes: 1_203_456 }
  }]
})
export type QueueStates = Static<typeof QueueStates>

const FailingWebhook = Type.Object({
  id: Type.Integer({ description: 'Id of the webhook' }),
  userId: Type.String({ description: 'Its user, as text' }),
  url: Type.String(),
  status: WebhookStatus,
  disabledReason: nullable(Type.String()),
  failures: Count('Attempts that failed in a row'),
  failingSince: nullable(Moment('Since when every attempt has failed')),
  openUntil: nullable(Moment('No attempt is made before'))
})

/** `GET /operators/deliveries`: what the dispatchers have to do, and which endpoints keep them from it. */
export const DeliveryStates = Type.Object({
  fanOutLagMs: Count('Age difference of the newest event and the last one that was read for webhooks, in milliseconds'),
  oldestDueMs: Count('How long the oldest delivery that may be tried now has been due, in milliseconds'),
  pending: Count('Deliveries that are pending, counted up to 100,000'),
  workers: Type.Array(Type.Object({
    host: Type.String({ description: 'Host and process of the replica' }),
    leaseUntil: Moment('When what it holds is taken over, unless it renews its lease'),
    shards: Count('Shards of the stream that it reads')
  }), { description: 'The replicas, at most 100' }),
  failing: Type.Array(FailingWebhook, {
    description: 'Webhooks of all users whose last attempts failed, or that are disabled; the longest failing first, ' +
      'at most 100'
  })
}, {
  $id: 'DeliveryStates',
  examples: [{
    fanOutLagMs: 0,
    oldestDueMs: 0,
    pending: 2,
    workers: [{ host: 'dispatcher-1:17', leaseUntil: '2022-01-01T00:00:10Z', shards: 16 }],
    failing: [{
      id: 12,
      userId: '7',
      url: 'https://example.com/hook',
      status: 'active',
      disabledReason: null,
      failures: 9,
      failingSince: '2022-01-01T00:00:00Z',
      openUntil: '2022-01-01T00:05:00Z'
    }]
  }]
})
export type DeliveryStates = Static<typeof DeliveryStates>
