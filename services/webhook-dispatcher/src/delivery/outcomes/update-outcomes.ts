import { pgColumns } from '@tidings/service-kit'
import type { Sql } from '../../db/sql.ts'
import type { Result, Task } from '../attempt/task.ts'

export type TaskOutcome = { task: Task, result: Result }

/**
 * Writes the outcomes of claimed deliveries with their attempts, in one
 * statement, each row fenced by its claim. By primary key: the ids are given
 * twice and no index is on `finished_at`, so that the planner prefers no other.
 */
export async function updateOutcomes (sql: Sql, outcomes: TaskOutcome[]): Promise<void> {
  const columns = outcomes.map(
    ({ task, result }) => ({ id: task.id ?? null, claim: task.workerId, ...resultColumns(result) })
  )
  const { numbers, texts, json } = pgColumns(columns)
  await sql`
    with r as materialized (
      select * from unnest(
        ${numbers('id')}::bigint[], ${numbers('claim')}::bigint[], ${texts('state')}::text[], ${numbers('delayMs')}::float8[], ${texts('reason')}::text[],
        ${numbers('startedAt')}::float8[], ${numbers('dnsMs')}::int[], ${numbers('connectMs')}::int[], ${numbers('ttfbMs')}::int[], ${numbers('totalMs')}::int[],
        ${numbers('status')}::smallint[], ${texts('errorClass')}::text[], ${texts('message')}::text[], string_to_array(${json('headers')}, chr(30), ''), ${texts('body')}::text[]
      ) as r (id, claim, state, delay_ms, reason, started_at, dns_ms, connect_ms, ttfb_ms, total_ms, status, error_class, message, headers, body)
    ),
    u as (
      update webhooks.deliveries d set
        claim = null,
        state = r.state,
        reason = r.reason,
        due_at = coalesce(now() + r.delay_ms * interval '1 ms', d.due_at),
        finished_at = case when r.state <> 'pending' then now() end,
        lost_at = case when r.state = 'failed' and r.reason is null and d.origin = 'event' and d.type <> 'progress' then coalesce(d.lost_at, now()) else d.lost_at end,
        attempts = d.attempts + (r.total_ms is not null)::int,
        status = case when r.total_ms is null then d.status else r.status end,
        error_class = case when r.total_ms is null then d.error_class else r.error_class end
      from r where d.id = any(${numbers('id')}::bigint[]) and d.id = r.id and d.claim = r.claim and d.finished_at is null
      returning d.id, d.attempts
    )
    insert into webhooks.attempts (delivery_id, n, started_at, dns_ms, connect_ms, ttfb_ms, total_ms, status, error_class, message, response_headers, response_body)
    select u.id, u.attempts, to_timestamp(r.started_at / 1000), r.dns_ms, r.connect_ms, r.ttfb_ms, r.total_ms, r.status, r.error_class, r.message, r.headers::jsonb, r.body
    from u join r on r.id = u.id
    where r.total_ms is not null`
}

/** A result as columns of deliveries and attempts. */
export function resultColumns ({ decision, attempt }: Result) {
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
