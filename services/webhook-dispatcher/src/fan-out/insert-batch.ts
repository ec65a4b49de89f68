import type { EventId } from '@tidings/job-events'
import { pgColumns, type RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'
import type { OutcomeEffects } from '../delivery/outcomes/outcome-effects.ts'
import { resultColumns } from '../delivery/outcomes/update-outcomes.ts'
import { released, type Result, type Task } from '../delivery/attempt/task.ts'
import type { MatchedEvent } from './batch.ts'

export type BatchInsert = {
  shard: number
  workerId: number
  from: EventId
  to: EventId
  events: readonly MatchedEvent[]
  /** A task without a result is in flight: its row is inserted as claimed by `workerId`. */
  tasks: { task: Task, result: Result | undefined }[]
}

export type ClaimedRow = { id: number, webhook_id: number, event_ms: number, event_seq: number }

/**
 * Inserts a batch with the effects of its outcomes: one statement where all
 * went well, six (begin and commit among them) where an attempt failed or new
 * events wait.
 */
export async function insertBatchWithEffects (
  sql: RawSql, effects: OutcomeEffects, batch: BatchInsert
): Promise<ClaimedRow[] | undefined> {
  const outcomes = batch.tasks.flatMap(({ task, result }) => result ? [{ task, result }] : [])
  const writeEffects = effects.of(outcomes)
  if (!writeEffects) return await insertBatch(sql, batch)
  const { rows, health } = await sql.begin(async tx => {
    const rows = await insertBatch(tx, batch)
    return { rows, health: rows ? await writeEffects(tx) : [] }
  })
  effects.syncHealth(health)
  return rows
}

/**
 * Moves the shard's position and, only if that was at `from` and the shard is
 * still ours, inserts each matched event once and a delivery for each of its
 * webhooks, with its outcome and attempt where there is one: all in one
 * statement. Returns the claimed rows, or undefined where nothing was written.
 */
async function insertBatch (sql: Sql, batch: BatchInsert): Promise<ClaimedRow[] | undefined> {
  const { shard, workerId, from, to, events, tasks } = batch
  const columns = tasks.map(({ task, result }) => ({
    ...resultColumns(result ?? released()),
    webhookId: task.target.id,
    ms: task.eventId.ms,
    seq: task.eventId.seq,
    type: task.type,
    chain: task.orderingKey,
    url: task.url,
    claim: result ? null : workerId
  }))
  const { numbers, texts, json } = pgColumns(columns)
  const matched = pgColumns(events)
  const ids = pgColumns(events.map(({ id }) => id))
  const rows = await sql<(ClaimedRow | { id: null })[]>`
    with moved as (
      update webhooks.shard_positions set event_ms = ${to.ms}, event_seq = ${to.seq}
      where shard = ${shard} and worker_id = ${workerId} and event_ms = ${from.ms} and event_seq = ${from.seq}
      returning shard
    ),
    e as (
      insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
      select e.* from unnest(
        ${ids.numbers('ms')}::bigint[], ${ids.numbers('seq')}::bigint[],
        ${matched.texts('userId')}::text[], ${matched.texts('type')}::text[], ${matched.texts('orderingKey')}::text[], string_to_array(${matched.json('body')}, chr(30), '')
      ) as e where exists (select from moved)
      on conflict do nothing
    ),
    t as materialized (
      select * from unnest(
        ${numbers('webhookId')}::int[], ${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[], ${texts('type')}::text[], ${texts('chain')}::text[], ${texts('url')}::text[], ${numbers('claim')}::bigint[],
        ${texts('state')}::text[], ${numbers('delayMs')}::float8[], ${texts('reason')}::text[],
        ${numbers('startedAt')}::float8[], ${numbers('dnsMs')}::int[], ${numbers('connectMs')}::int[], ${numbers('ttfbMs')}::int[], ${numbers('totalMs')}::int[],
        ${numbers('status')}::smallint[], ${texts('errorClass')}::text[], ${texts('message')}::text[], string_to_array(${json('headers')}, chr(30), ''), ${texts('body')}::text[]
      ) as t (webhook_id, event_ms, event_seq, type, chain, url, claim, state, delay_ms, reason, started_at, dns_ms, connect_ms, ttfb_ms, total_ms, status, error_class, message, headers, body)
      where exists (select from moved)
    ),
    d as (
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, url, claim, state, due_at, reason, attempts, status, error_class, finished_at, lost_at)
      select webhook_id, event_ms, event_seq, type, chain, url, claim, state, now() + coalesce(delay_ms, 0) * interval '1 ms', reason,
        (total_ms is not null)::int, status, error_class, case when state <> 'pending' then now() end, case when state = 'failed' and type <> 'progress' then now() end
      from t
      on conflict (webhook_id, event_ms, event_seq) where origin = 'event' do nothing
      returning id, webhook_id, event_ms, event_seq, claim
    ),
    a as (
      insert into webhooks.attempts (delivery_id, n, started_at, dns_ms, connect_ms, ttfb_ms, total_ms, status, error_class, message, response_headers, response_body)
      select d.id, 1, to_timestamp(t.started_at / 1000), t.dns_ms, t.connect_ms, t.ttfb_ms, t.total_ms, t.status, t.error_class, t.message, t.headers::jsonb, t.body
      from d join t on t.webhook_id = d.webhook_id and t.event_ms = d.event_ms and t.event_seq = d.event_seq
      where t.total_ms is not null
    )
    select d.id, d.webhook_id, d.event_ms, d.event_seq from moved left join d on d.claim is not null`
  return rows.length === 0 ? undefined : rows.filter(row => row.id !== null)
}
