import type { DeliveryCounts, WebhookStats } from '@tidings/contracts'
import { statsOf, type RawSql, type StatsRange } from '@tidings/service-kit'
import { inIndexOrder } from '../db/in-index-order.ts'
import { idRange } from './scan-deliveries.ts'

type CountRow = Omit<DeliveryCounts, 'latencyMs'> & {
  /** Number of the bucket; null for all. */
  bucket: number | null
  latencies: [number, number] | null
  /** When the oldest delivery that was read was created, if there may be more. */
  oldest: number | null
}

/**
 * Counts the deliveries to a webhook by bucket and outcome. Computed on request, so that deliveries cost no more: from
 * the newest 50,000 rows of the period, in the order of index deliveries_of_webhook.
 */
export async function webhookStats (sql: RawSql, webhookId: number, range: StatsRange): Promise<WebhookStats> {
  const { from, to, step } = range
  const rows = await inIndexOrder(sql, async tx => {
    const { low, high } = await idRange(tx, { from, to })
    return await tx<CountRow[]>`
      with found as materialized (
        select d.state, d.attempts, d.created_at, d.finished_at, (extract(epoch from d.created_at) * 1000)::bigint as created_ms,
          case when d.origin = 'event' then d.event_ms else (extract(epoch from d.created_at) * 1000)::bigint end as since_ms
        from webhooks.all_deliveries d
        where (d.webhook_id, d.id) < (${webhookId}::int, ${high}::bigint) and (d.webhook_id, d.id) >= (${webhookId}::int, ${low}::bigint)
        order by d.webhook_id desc, d.id desc limit 50000
      ),
      counted as (
        select *, greatest(0, (extract(epoch from finished_at) * 1000)::bigint - since_ms) as latency_ms from found
        where created_ms >= ${from} and created_ms < ${to}
      )
      select (created_ms - ${from}::bigint) / ${step}::bigint as bucket,
        count(*) filter (where state = 'delivered')::int as delivered, count(*) filter (where state = 'failed')::int as failed,
        count(*) filter (where state = 'superseded')::int as superseded, count(*) filter (where state = 'closed')::int as closed,
        count(*) filter (where state = 'pending')::int as pending, coalesce(sum(attempts), 0)::int as attempts,
        to_json(percentile_disc(array[0.5, 0.95]) within group (order by latency_ms) filter (where state = 'delivered')) as latencies,
        (select case when count(*) = 50000 then min(created_ms) end from found) as oldest
      from counted group by grouping sets ((1), ())`
  })
  const stats = statsOf(range, {
    rows: rows.map(row => ({ bucket: row.bucket, counts: countsOf(row) })),
    none: NONE,
    oldest: rows[0]?.oldest ?? undefined
  })
  return { webhookId, ...stats }
}

const NONE: DeliveryCounts = {
  delivered: 0, failed: 0, superseded: 0, closed: 0, pending: 0, attempts: 0, latencyMs: { p50: null, p95: null }
}

function countsOf ({ delivered, failed, superseded, closed, pending, attempts, latencies }: CountRow): DeliveryCounts {
  const latencyMs = { p50: latencies?.[0] ?? null, p95: latencies?.[1] ?? null }
  return { delivered, failed, superseded, closed, pending, attempts, latencyMs }
}
