import { Type, type Static } from 'typebox'
import { bucketStart, MAX_STATS_BUCKETS, partialStats, percentiles, statsQuery, statsRange } from './stats.ts'

/** Query of `GET /webhooks/:id/stats`. */
export const WebhookStatsQuery = Type.Object(statsQuery, { additionalProperties: false })
export type WebhookStatsQuery = Static<typeof WebhookStatsQuery>

const counts = {
  delivered: Type.Integer(),
  failed: Type.Integer(),
  superseded: Type.Integer(),
  closed: Type.Integer(),
  pending: Type.Integer(),
  attempts: Type.Integer({ description: 'Attempts that these deliveries have had' }),
  latencyMs: percentiles('Median and 95th percentile, of the delivered ones, of the time from the event, or from the ' +
    'creation of a redelivery, replay or test, until the success was recorded, retries included; null where none was ' +
    'delivered')
}

const example = {
  delivered: 118, failed: 1, superseded: 0, closed: 0, pending: 2, attempts: 127, latencyMs: { p50: 38, p95: 210 }
}

/** The deliveries created in a time, by what became of them. */
export const DeliveryCounts = Type.Object(counts, { $id: 'DeliveryCounts', examples: [example] })
export type DeliveryCounts = Static<typeof DeliveryCounts>

const WebhookStatsBucket = Type.Object({ ...bucketStart, ...counts }, {
  $id: 'WebhookStatsBucket', examples: [{ from: 1640995200000, ...example }]
})

/** The response of `GET /webhooks/:id/stats`. */
export const WebhookStats = Type.Object({
  webhookId: Type.Integer(),
  ...statsRange,
  total: DeliveryCounts,
  buckets: Type.Array(WebhookStatsBucket, {
    maxItems: MAX_STATS_BUCKETS, description: 'Oldest first, empty ones included'
  }),
  ...partialStats('the 50,000 deliveries that are read')
}, {
  $id: 'WebhookStats',
  description: 'Deliveries to the webhook over time',
  examples: [{
    webhookId: 1,
    from: 1640995200000,
    to: 1640996100000,
    step: 900_000,
    total: example,
    buckets: [{ from: 1640995200000, ...example }]
  }]
})
export type WebhookStats = Static<typeof WebhookStats>
