import { MAX_STATS_BUCKETS, type DeliveryCounts, type WebhookStats, type WebhookStatsQuery } from '@tidings/contracts'
import { invalidInput, type RawSql } from '@tidings/service-kit'
import { durationMs } from '../duration.ts'
import { momentOf } from './delivery-filter.ts'
import { idRange } from './scan-deliveries.ts'

const DAY_MS = 86_400_000
/** Without a step: the smallest of these with at most so many buckets. */
const STEPS_MS = [1, 5, 15, 60, 360, 1440].map(minutes => minutes * 60_000)
const DEFAULT_BUCKETS = 100

export type Period = { from: number, to: number, stepMs: number }

/**
 * The time that a query names, 24 hours by default, and the length of its buckets; in milliseconds.
 * @throws INVALID_INPUT where it is empty, or makes more than 200 buckets
 */
export function periodOf (query: WebhookStatsQuery, now = Date.now()): Period {
  const read = (name: 'from' | 'to', fallback: number) => {
    const moment = query[name] === undefined ? fallback : momentOf(query[name])
    if (moment !== undefined) return moment
    throw invalidInput([{ path: `querystring.${name}`, message: 'is not a time or the id of an event' }])
  }
  const to = read('to', now)
  const from = read('from', to - DAY_MS)
  if (from >= to) throw invalidInput([{ path: 'querystring.to', message: 'must be after from' }])
  const period = (stepMs: number) => ({ from, to, stepMs })
  if (query.step === undefined) {
    return period(STEPS_MS.find(stepMs => bucketsOf(period(stepMs)) <= DEFAULT_BUCKETS) ?? smallestStep(from, to))
  }
  const asked = period(durationMs(query.step))
  const buckets = bucketsOf(asked)
  if (buckets <= MAX_STATS_BUCKETS) return asked
  const message = `makes ${buckets} buckets of at most ${MAX_STATS_BUCKETS}: the smallest step is ${smallestStep(from, to) / 1000}s`
  throw invalidInput([{ path: 'querystring.step', message }])
}

/** Buckets start at multiples of the step, so that the same ones are counted the next time. */
function firstStart ({ from, stepMs }: Period): number {
  return Math.floor(from / stepMs) * stepMs
}

function bucketsOf (period: Period): number {
  return Math.ceil((period.to - firstStart(period)) / period.stepMs)
}

/** In whole seconds; one bucket less than allowed, since the first and the last may be parts. */
function smallestStep (from: number, to: number): number {
  return Math.max(1, Math.ceil((to - from) / (MAX_STATS_BUCKETS - 1) / 1000)) * 1000
}

type CountRow = Omit<DeliveryCounts, 'latencyMs'> & {
  /** Number of the bucket; null for all. */
  bucket: number | null
  latencies: [number, number] | null
  /** When the oldest delivery was created, if there are more. */
  counted_from: number | null
}

/**
 * Counts the deliveries to a webhook by bucket and outcome. Computed on request, so that deliveries cost no more: from
 * the newest 50,000 rows of the period, in the order of index deliveries_of_webhook.
 */
export async function webhookStats (sql: RawSql, webhookId: number, period: Period): Promise<WebhookStats> {
  const { from, to, stepMs } = period
  const { low, high } = await idRange(sql, { from, to })
  const start = firstStart(period)
  const rows = await sql<CountRow[]>`
    with found as materialized (
      select d.state, d.attempts, d.created_at, d.finished_at, (extract(epoch from d.created_at) * 1000)::bigint as created_ms,
        case when d.origin = 'event' then d.event_ms else (extract(epoch from d.created_at) * 1000)::bigint end as since_ms
      from webhooks.deliveries d
      where (d.webhook_id, d.id) < (${webhookId}::int, ${high}::bigint) and (d.webhook_id, d.id) >= (${webhookId}::int, ${low}::bigint)
      order by d.webhook_id desc, d.id desc limit 50000
    ),
    counted as (
      select *, greatest(0, (extract(epoch from finished_at) * 1000)::bigint - since_ms) as latency_ms from found
      where created_ms >= ${from} and created_ms < ${to}
    )
    select (created_ms - ${start}::bigint) / ${stepMs}::bigint as bucket,
      count(*) filter (where state = 'delivered')::int as delivered, count(*) filter (where state = 'failed')::int as failed,
      count(*) filter (where state = 'superseded')::int as superseded, count(*) filter (where state = 'closed')::int as closed,
      count(*) filter (where state = 'pending')::int as pending, coalesce(sum(attempts), 0)::int as attempts,
      to_json(percentile_disc(array[0.5, 0.95]) within group (order by latency_ms) filter (where state = 'delivered')) as latencies,
      (select case when count(*) = 50000 then min(created_ms) end from found) as counted_from
    from counted group by grouping sets ((1), ())`
  const countedFrom = rows[0]?.counted_from ?? null
  const byBucket = new Map(rows.map(row => [row.bucket, countsOf(row)]))
  const first = countedFrom === null ? 0 : Math.max(0, Math.floor((countedFrom - start) / stepMs))
  const numbers = Array.from({ length: bucketsOf(period) - first }, (_, n) => first + n)
  return {
    webhookId,
    from: timeOf(from),
    to: timeOf(to),
    stepMs,
    total: byBucket.get(null) ?? NONE,
    buckets: numbers.map(n => ({ start: timeOf(start + n * stepMs), ...(byBucket.get(n) ?? NONE) })),
    ...(countedFrom !== null && { truncated: true as const, countedFrom: timeOf(Math.max(from, countedFrom)) })
  }
}

const NONE: DeliveryCounts = {
  delivered: 0, failed: 0, superseded: 0, closed: 0, pending: 0, attempts: 0, latencyMs: null
}

function countsOf ({ delivered, failed, superseded, closed, pending, attempts, latencies }: CountRow): DeliveryCounts {
  const latencyMs = latencies && { p50: latencies[0], p95: latencies[1] }
  return { delivered, failed, superseded, closed, pending, attempts, latencyMs }
}

function timeOf (ms: number): string {
  return new Date(ms).toISOString()
}
