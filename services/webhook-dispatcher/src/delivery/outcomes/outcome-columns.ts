import type { Fragment } from 'postgres'
import type { pgColumns } from '@tidings/service-kit'
import type { Sql } from '../../db/sql.ts'
import type { Result } from '../attempt/task.ts'

export type OutcomeColumns = ReturnType<typeof outcomeColumns>

/** A result as columns of deliveries and attempts. */
export function outcomeColumns ({ decision, attempt }: Result) {
  const { outcome, startedAt } = attempt ?? {}
  return {
    state: decision.state,
    // A delay, so that only the clock of Postgres decides what is due.
    delayMs: decision.state === 'pending' ? Math.max(0, decision.dueAt - Date.now()) : null,
    reason: ('reason' in decision && decision.reason) || null,
    startedAt: startedAt ?? null,
    dnsMs: outcome?.durations.dnsMs ?? null,
    connectMs: outcome?.durations.connectMs ?? null,
    ttfbMs: outcome?.durations.ttfbMs ?? null,
    totalMs: outcome?.durations.totalMs ?? null,
    status: outcome?.status ?? null,
    errorClass: outcome?.errorClass ?? null,
    message: outcome?.message ?? null,
    headers: outcome?.responseHeaders ? JSON.stringify(outcome.responseHeaders) : null,
    body: outcome?.responseBody ?? null
  }
}

/** Those columns as arrays, for `unnest`. */
export function outcomeArrays (
  sql: Sql, { numbers, texts, json }: ReturnType<typeof pgColumns<OutcomeColumns>>
): Fragment {
  return sql`
    ${texts('state')}::text[], ${numbers('delayMs')}::float8[], ${texts('reason')}::text[],
    ${numbers('startedAt')}::float8[], ${numbers('dnsMs')}::int[], ${numbers('connectMs')}::int[], ${numbers('ttfbMs')}::int[], ${numbers('totalMs')}::int[],
    ${numbers('status')}::smallint[], ${texts('errorClass')}::text[], ${texts('message')}::text[], string_to_array(${json('headers')}, chr(30), ''), ${texts('body')}::text[]`
}

/** The names of those arrays, in their order. */
export function outcomeNames (sql: Sql): Fragment {
  return sql`state, delay_ms, reason, started_at, dns_ms, connect_ms, ttfb_ms, total_ms, status, error_class, message, headers, body`
}

/**
 * Inserts the attempts of deliveries just written, `written (id, attempts, …)`, with their outcomes, which are rows of
 * `r`, named as `outcomeNames` says.
 */
export function insertAttempts (sql: Sql, isOfDelivery: Fragment): Fragment {
  return sql`
    insert into webhooks.attempts (delivery_id, n, started_at, dns_ms, connect_ms, ttfb_ms, total_ms, status, error_class, message, response_headers, response_body)
    select written.id, written.attempts, to_timestamp(r.started_at / 1000), r.dns_ms, r.connect_ms, r.ttfb_ms, r.total_ms, r.status, r.error_class, r.message, r.headers::jsonb, r.body
    from written join r on ${isOfDelivery}
    where r.total_ms is not null`
}
