import { Type, type Static } from 'typebox'
import { DeliveryFilter } from './delivery-filter.ts'
import { JobId } from './job.ts'
import { JobFilterBody } from './job-list.ts'
import type { UserScope } from './jwt/scopes.ts'
import { nullable } from './nullable.ts'

export const BULK_ACTIONS = ['retry', 'cancel', 'redeliver'] as const
export type BulkActionName = typeof BULK_ACTIONS[number]
export const BulkAction = Type.Enum([...BULK_ACTIONS], {
  $id: 'BulkAction',
  description: 'retry: failed jobs; cancel: waiting, delayed and active jobs; redeliver: deliveries that are not ' +
    'pending'
})

const BULK_STATES = ['waiting', 'running', 'finished', 'stopped', 'failed'] as const
export type BulkStateName = typeof BULK_STATES[number]
const BulkState = Type.Enum([...BULK_STATES], {
  $id: 'BulkState',
  description: 'waiting: an earlier bulk action of the user runs; stopped: by its user; failed: not finished in a day'
})

/** The most items of a bulk action, and the most that a request may name by their ids. */
export const MAX_BULK_ITEMS = 100_000
export const MAX_BULK_IDS = 10_000

/** The scopes to start or stop a bulk action, and to see it. */
export const BULK_SCOPES: Record<BulkActionName, { write: UserScope, read: UserScope }> = {
  retry: { write: 'jobs:write', read: 'jobs:read' },
  cancel: { write: 'jobs:write', read: 'jobs:read' },
  redeliver: { write: 'webhooks:write', read: 'webhooks:read' }
}

const dryRun = Type.Optional(nullable(Type.Boolean({ description: 'Only counts the items' })))
const idsOf = 'in place of `filter`; at most 10,000'

/** Body of `POST /bulk` about jobs: with a filter, or with ids. */
export const StartJobBulk = Type.Object({
  action: BulkAction,
  filter: Type.Optional(JobFilterBody),
  ids: Type.Optional(Type.Array(JobId, { minItems: 1, maxItems: MAX_BULK_IDS, description: `Ids of jobs, ${idsOf}` })),
  dryRun
}, { $id: 'NewJobBulk', additionalProperties: false, examples: [{ action: 'retry', filter: { name: 'resize' } }] })
export type StartJobBulk = Static<typeof StartJobBulk>

/** Body of `POST /bulk` about deliveries: with a filter, or with ids. */
export const StartDeliveryBulk = Type.Object({
  action: BulkAction,
  filter: Type.Optional(DeliveryFilter),
  ids: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
    minItems: 1, maxItems: MAX_BULK_IDS, description: `Ids of deliveries, ${idsOf}`
  })),
  dryRun
}, {
  $id: 'NewDeliveryBulk', additionalProperties: false, examples: [{ action: 'redeliver', filter: { webhookId: 1 } }]
})
export type StartDeliveryBulk = Static<typeof StartDeliveryBulk>

/** Body of `POST /bulk`. */
export const StartBulk = Type.Union([StartJobBulk, StartDeliveryBulk], {
  $id: 'NewBulk', examples: [{ action: 'retry', filter: { name: 'resize' } }]
})

const Count = (description: string) => Type.Integer({ description })
const BulkId = Type.String({
  pattern: '^(deliveries-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  description: 'Id of the bulk action',
  examples: ['0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17']
})
/** Path of the dispatcher's part of `/bulk`, to which jobs-api forwards requests. No edge routes it. */
export const DELIVERY_BULK_PATH = '/internal/bulk'

export const BulkParams = Type.Object({ bulkId: BulkId })

const bulkId = '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'

/** The response of `POST /bulk`. */
export const StartedBulk = Type.Object({
  bulkId: BulkId,
  matched: Count('Number of items')
}, { $id: 'StartedBulk', examples: [{ bulkId, matched: 1742 }] })
export type StartedBulk = Static<typeof StartedBulk>

/** The response of `POST /bulk` with `dryRun`. */
export const BulkDryRun = Type.Object({
  matched: Count('Number of items, counted up to 100,000'),
  matchedIsCapped: Type.Optional(
    Type.Literal(true, { description: 'There are more: a request without dryRun is a 422' })
  )
}, { $id: 'BulkDryRun', examples: [{ matched: 1742 }] })
export type BulkDryRun = Static<typeof BulkDryRun>

const BulkError = Type.Object({
  id: Type.String({ description: 'Id of the job or delivery' }),
  outcome: Type.Enum(['failed', 'skipped']),
  reason: Type.String()
}, {
  $id: 'BulkError',
  examples: [{ id: bulkId, outcome: 'failed', reason: 'The queue does not have this job any more' }]
})
export type BulkError = Static<typeof BulkError>

const NullableTime = Type.Unsafe<string | null>({
  type: ['string', 'null'], format: 'date-time', description: 'Null until then'
})

const example = {
  bulkId,
  action: 'retry',
  state: 'running',
  matched: 1742,
  done: 600,
  failed: 0,
  skipped: 3,
  errors: [{ id: bulkId, outcome: 'skipped', reason: 'The job has changed since the request' }],
  reason: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null
}

/** A bulk action: once it is finished, `matched` is the sum of `done`, `failed` and `skipped`. */
export const Bulk = Type.Object({
  bulkId: BulkId,
  action: BulkAction,
  state: BulkState,
  matched: Count('Number of items, fixed when the bulk action was requested'),
  done: Count('Items that were retried, cancelled or are delivered again'),
  failed: Count('Items for which that was not possible'),
  skipped: Count('Items that had changed meanwhile and were left as they are'),
  errors: Type.Array(BulkError, { description: 'The first 20 items that failed or were skipped' }),
  reason: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Why the bulk action failed' }),
  createdAt: Type.String({ format: 'date-time' }),
  finishedAt: NullableTime
}, { $id: 'Bulk', examples: [example] })
export type Bulk = Static<typeof Bulk>

export const BulkList = Type.Object({
  bulks: Type.Array(Bulk),
  incomplete: Type.Optional(Type.Literal(true, {
    description: 'The service that has the redeliveries does not respond: they are missing'
  }))
}, { $id: 'BulkList', description: 'The newest 100, newest first', examples: [{ bulks: [example] }] })
export type BulkList = Static<typeof BulkList>

/** Payload of the event `bulk:progress`. */
export const BulkProgressPayload = Type.Object({
  bulkId: BulkId,
  action: BulkAction,
  state: BulkState,
  matched: Type.Integer({ minimum: 0 }),
  done: Type.Integer({ minimum: 0 }),
  failed: Type.Integer({ minimum: 0 }),
  skipped: Type.Integer({ minimum: 0 })
}, { additionalProperties: false })
export type BulkProgressPayload = Static<typeof BulkProgressPayload>

/** What is published about a bulk action, for the sessions of its user. */
export const BulkProgressMessage = Type.Object({
  userId: Type.String({ minLength: 1, maxLength: 128 }),
  progress: BulkProgressPayload
}, { additionalProperties: false })
export type BulkProgressMessage = Static<typeof BulkProgressMessage>
