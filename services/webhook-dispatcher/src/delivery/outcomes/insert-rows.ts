import { pgColumns } from '@tidings/service-kit'
import type { Sql } from '../../db/sql.ts'
import { released } from '../attempt/task.ts'
import { insertAttempts, outcomeArrays, outcomeColumns, outcomeNames } from './outcome-columns.ts'
import type { InsertWrite } from './outcome-write.ts'

export type ClaimedRow = { id: number, webhook_id: number, event_ms: number, event_seq: number }

/**
 * Moves the shard's position and, only if that was at `from` and the shard is
 * still ours, inserts each matched event once and a delivery for each of its
 * webhooks, with its outcome and attempt where there is one: all in one
 * statement. Returns the claimed rows, or undefined where nothing was written.
 */
export async function insertRows (sql: Sql, write: InsertWrite): Promise<ClaimedRow[] | undefined> {
  const { shard, workerId, from, to, events, tasks } = write
  const columns = pgColumns(tasks.map(({ task, result }) => ({
    ...outcomeColumns(result ?? released()),
    webhookId: task.target.id,
    ms: task.eventId.ms,
    seq: task.eventId.seq,
    type: task.type,
    chain: task.orderingKey,
    url: task.url,
    claim: result ? null : workerId
  })))
  const { numbers, texts } = columns
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
    r as materialized (
      select * from unnest(
        ${numbers('webhookId')}::int[], ${numbers('ms')}::bigint[], ${numbers('seq')}::bigint[], ${texts('type')}::text[], ${texts('chain')}::text[], ${texts('url')}::text[], ${numbers('claim')}::bigint[],
        ${outcomeArrays(sql, columns)}
      ) as r (webhook_id, event_ms, event_seq, type, chain, url, claim, ${outcomeNames(sql)})
      where exists (select from moved)
    ),
    written as (
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, url, claim, state, due_at, reason, attempts, status, error_class, finished_at, lost_at)
      select webhook_id, event_ms, event_seq, type, chain, url, claim, state, now() + coalesce(delay_ms, 0) * interval '1 ms', reason,
        (total_ms is not null)::int, status, error_class, case when state <> 'pending' then now() end, case when state = 'failed' and type <> 'progress' then now() end
      from r
      -- Names no index: a later release may have one in each part of the table only (decision 0032).
      on conflict do nothing
      returning id, webhook_id, event_ms, event_seq, claim, attempts
    ),
    attempted as (
      ${insertAttempts(sql, sql`r.webhook_id = written.webhook_id and r.event_ms = written.event_ms and r.event_seq = written.event_seq`)}
    )
    select d.id, d.webhook_id, d.event_ms, d.event_seq from moved left join written d on d.claim is not null`
  return rows.length === 0 ? undefined : rows.filter(row => row.id !== null)
}
