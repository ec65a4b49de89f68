import { Type, type Static } from 'typebox'
import { Moment } from './delivery-filter.ts'
import { orEmpty } from './or-empty.ts'

/** Buckets in one response. */
export const MAX_STATS_BUCKETS = 200

/** Query of `GET /webhooks/:id/stats`. */
export const WebhookStatsQuery = Type.Object({
  from: Type.Optional(Moment('Deliveries created at or after; by default 24 hours before `to`')),
  to: Type.Optional(Moment('Deliveries created before; by default now')),
  step: Type.Optional(orEmpty(Type.String({
    pattern: '^[1-9]\\d{0,6}(s|m|h|d)$',
    description: `Length of a bucket, such as 30s, 15m, 1h or 1d; at most ${MAX_STATS_BUCKETS} buckets`,
    examples: ['15m']
  })))
}, { additionalProperties: false })
export type WebhookStatsQuery = Static<typeof WebhookStatsQuery>

const Time = Type.String({ format: 'date-time' })

const counts = {
  delivered: Type.Integer(),
  failed: Type.Integer(),
  superseded: Type.Integer(),
  closed: Type.Integer(),
  pending: Type.Integer(),
  attempts: Type.Integer({ description: 'Attempts that these deliveries have had' }),
  latencyMs: Type.Unsafe<{ p50: number, p95: number } | null>({
    type: ['object', 'null'],
    properties: { p50: { type: 'integer' }, p95: { type: 'integer' } },
    required: ['p50', 'p95'],
    description: 'Of the delivered ones, retries and waiting included: from the event, or from the creation of a ' +
      'redelivery, replay or test, until the success was recorded. Null where none was delivered'
  })
}

const example = {
  delivered: 118, failed: 1, superseded: 0, closed: 0, pending: 2, attempts: 127, latencyMs: { p50: 38, p95: 210 }
}

/** The deliveries created in a time, by what became of them. */
export const DeliveryCounts = Type.Object(counts, { $id: 'DeliveryCounts', examples: [example] })
export type DeliveryCounts = Static<typeof DeliveryCounts>

export const WebhookStatsBucket = Type.Object({ start: Time, ...counts }, {
  $id: 'WebhookStatsBucket', examples: [{ start: '2022-01-01T00:00:00.000Z', ...example }]
})

/** The response of `GET /webhooks/:id/stats`. */
export const WebhookStats = Type.Object({
  webhookId: Type.Integer(),
  from: Time,
  to: Time,
  stepMs: Type.Integer({ description: 'Length of a bucket; buckets start at multiples of it since 1970' }),
  total: DeliveryCounts,
  buckets: Type.Array(WebhookStatsBucket, { description: 'Oldest first, empty ones included' }),
  truncated: Type.Optional(Type.Literal(true, {
    description: 'There are more deliveries than are read (50,000): only those since `countedFrom` are counted'
  })),
  countedFrom: Type.Optional(Type.String({
    format: 'date-time',
    description: 'With `truncated`: the first bucket is that of this time. `to` with this value continues'
  }))
}, {
  $id: 'WebhookStats',
  description: 'Deliveries to the webhook over time',
  examples: [{
    webhookId: 1,
    from: '2022-01-01T00:00:00.000Z',
    to: '2022-01-01T00:15:00.000Z',
    stepMs: 900_000,
    total: example,
    buckets: [{ start: '2022-01-01T00:00:00.000Z', ...example }]
  }]
})
export type WebhookStats = Static<typeof WebhookStats>
