import type { WebhookHealth } from '@tidings/contracts'
import type { Config } from '../config.ts'
import type { Sql } from '../db/sql.ts'
import { recoveryPolicy } from '../delivery/outcomes/recovery-policy.ts'
import { circuitState } from '../delivery/scheduler/endpoint-circuit.ts'
import type { WebhookRow } from './webhook-row.ts'

/** Of each webhook's pending deliveries, the longest due ones whose ordering keys are looked at. */
const MAX_SCANNED = 20

/** Times in milliseconds. */
type NextAttempt = { id: number, now: number, due_at: number | null }

export type HealthSource = { sql: Sql, config: Config }

/**
 * The health of webhooks as it is in Postgres, which all replicas write, for each of the rows. Healthy webhooks cost no
 * query.
 */
export async function readHealth (
  { sql, config }: HealthSource, rows: WebhookRow[]
): Promise<(row: WebhookRow) => WebhookHealth> {
  const ids = rows.filter(({ failures, openUntil }) => failures > 0 || openUntil !== null).map(({ id }) => id)
  if (ids.length === 0) return () => CLOSED
  const found = await nextAttempts(sql, ids, recoveryPolicy(config) ? 'probes' : 'no probes')
  const attempts = new Map(found.map(attempt => [attempt.id, attempt]))
  return row => healthOf(row, attempts.get(row.id))
}

const CLOSED: WebhookHealth = {
  circuit: 'closed', failures: 0, failingSince: null, openUntil: null, nextAttemptAt: null
}

function healthOf ({ status, failures, failingSince, openUntil }: WebhookRow, next?: NextAttempt): WebhookHealth {
  const pauseEnd = openUntil?.getTime() ?? 0
  const circuit = circuitState(failures, pauseEnd > (next?.now ?? Date.now()))
  if (circuit === 'closed') return CLOSED
  const isPaused = circuit === 'open' || circuit === 'throttled'
  const dueAt = status === 'active' ? next?.due_at ?? null : null
  return {
    circuit,
    failures,
    failingSince: failingSince?.toISOString() ?? null,
    openUntil: isPaused ? iso(pauseEnd) : null,
    nextAttemptAt: dueAt === null ? null : iso(Math.max(dueAt, pauseEnd))
  }
}

const iso = (ms: number) => new Date(ms).toISOString()

/**
 * When something is next due at each of these webhooks: a pending delivery that is the oldest of its ordering key, or
 * the probe of an endpoint for which nothing waits. By the indexes due_deliveries and pending_chains: a few rows of
 * each webhook, however many wait.
 */
export async function nextAttempts (sql: Sql, ids: number[], mode: 'probes' | 'no probes'): Promise<NextAttempt[]> {
  return await sql<NextAttempt[]>`
    select w.id, (extract(epoch from now()) * 1000)::bigint as now,
      (extract(epoch from coalesce(waiting.due_at, case when ${mode} = 'probes' then w.recover_at end)) * 1000)::bigint as due_at
    from webhooks.webhooks w left join lateral (
      select min(head.due_at) as due_at from (
        select d.id, d.webhook_id, d.chain, d.due_at from webhooks.deliveries d
        where d.webhook_id = w.id and d.state = 'pending'
        order by d.due_at, d.id limit ${MAX_SCANNED}) c
      cross join lateral (
        select c.due_at where c.chain is null
        union all
        (select p.due_at from webhooks.deliveries p
          where p.webhook_id = c.webhook_id and p.chain = c.chain and p.finished_at is null
          order by p.event_ms, p.event_seq limit 1)) head
    ) waiting on true
    where w.id = any(${ids}::int[])`
}
