import { inIndexOrder } from '../db/in-index-order.ts'
import type { Sql } from '../db/sql.ts'
import { SUPERSEDED } from '../delivery/attempt/task.ts'
import type { RecoveryPolicy } from '../delivery/outcomes/recovery-policy.ts'

/** Webhooks at a time. */
const MAX_WEBHOOKS = 50
/** Deliveries of a recovering endpoint that may wait at a time, new events included. */
const MAX_WAITING = 50
/** The newest deliveries among which newer events of a job are looked for. */
const MAX_NEWEST = 10_000

/**
 * Makes completions and failures that failed for good due again: all of them
 * for an endpoint that answers again, as many at a time as may wait; the oldest
 * one, as a probe, for an endpoint that still fails and has nothing else
 * waiting. They keep their row, and so their `webhook-id` and their place in the
 * order of their job. Where a newer event of the job has arrived meanwhile, the
 * older one is superseded.
 *
 * Once per recovery: an endpoint may well answer and refuse just this delivery,
 * so that its own failure and the next success would be a recovery each time.
 * Before each further recovery a delivery waits twice as long. Probes do not
 * count.
 *
 * Returns how many are due now. By the indexes recovering_webhooks,
 * due_deliveries and lost_deliveries.
 */
export async function recover (sql: Sql, policy: RecoveryPolicy): Promise<number> {
  return await inIndexOrder(sql, async tx => await recoverPage(tx, policy))
}

async function recoverPage (sql: Sql, { windowMs, pauseMs, maxPauseMs }: RecoveryPolicy): Promise<number> {
  const [row] = await sql<{ due: number }[]>`
    with ready as materialized (
      select id, failures, failing_since from webhooks.webhooks
      where recover_at <= now() and status = 'active' and deleted_at is null and (open_until is null or open_until <= now())
      order by recover_at limit ${MAX_WEBHOOKS} for no key update skip locked
    ),
    endpoint as materialized (
      select r.*, case when r.failures = 0 then ${MAX_WAITING}::int - w.waiting when w.waiting = 0 then 1 else 0 end as capacity
      from ready r cross join lateral (
        select count(*)::int as waiting from (
          select from webhooks.deliveries d where d.webhook_id = r.id and d.state = 'pending' order by d.due_at limit ${MAX_WAITING}) pending) w
    ),
    page as materialized (
      select d.id, d.webhook_id, d.chain, d.event_ms, d.event_seq, e.failures from endpoint e cross join lateral (
        select d.* from webhooks.all_deliveries d
        where d.webhook_id = e.id and d.state = 'failed' and d.lost_at > now() - ${windowMs}::float8 * interval '1 ms'
          and (e.failures > 0 or d.recoveries = 0 or d.finished_at <= now() - ${pauseMs}::float8 * power(2, d.recoveries - 1) * interval '1 ms')
        order by d.lost_at limit e.capacity for update skip locked) d
    ),
    arrived as materialized (
      select n.* from (select distinct webhook_id from page) p cross join lateral (
        select d.webhook_id, d.chain, d.event_ms, d.event_seq, d.state from webhooks.all_deliveries d
        where d.webhook_id = p.webhook_id and d.origin = 'event'
        order by d.event_ms desc, d.event_seq desc limit ${MAX_NEWEST}) n
      where n.state = 'delivered'
    ),
    decided as materialized (
      select p.*, exists (
        select from arrived a
        where a.webhook_id = p.webhook_id and a.chain = p.chain and (a.event_ms, a.event_seq) > (p.event_ms, p.event_seq)) as is_superseded
      from page p
    ),
    superseded as (
      update webhooks.all_deliveries set state = 'superseded', reason = ${SUPERSEDED}, due_at = now()
      where id = any(array(select id from decided where is_superseded))
    ),
    -- From whatever day, into the part of today: all that is pending is there.
    taken as (
      delete from webhooks.all_deliveries where id = any(array(select id from decided where not is_superseded)) returning *
    ),
    due as (
      insert into webhooks.deliveries (id, webhook_id, event_ms, event_seq, origin, origin_id, type, chain, url, attempts, status, error_class,
        created_at, lost_at, message_id, body, state, recoveries, due_at)
      select t.id, t.webhook_id, t.event_ms, t.event_seq, t.origin, t.origin_id, t.type, t.chain, t.url, t.attempts, t.status, t.error_class,
        t.created_at, t.lost_at, t.message_id, t.body, 'pending', t.recoveries + case when j.failures = 0 then 1 else 0 end, now()
      from taken t join decided j on j.id = t.id
      on conflict do nothing
      returning id
    ),
    rescheduled as (
      update webhooks.webhooks w set recover_at = case
        -- Waiting deliveries show, too, whether it answers again. Otherwise probed like an open circuit, by how long it has failed.
        when e.failures > 0 and (e.capacity = 0 or p.found > 0) then now() + least(${maxPauseMs}::float8 * interval '1 ms',
          greatest(${pauseMs}::float8 * interval '1 ms', (now() - e.failing_since) / 2))
        when e.failures = 0 and p.found = e.capacity then now()
      end
      from endpoint e cross join lateral (select count(*)::int as found from page where page.webhook_id = e.id) p
      where w.id = e.id
    )
    select count(*)::int as due from due`
  return row?.due ?? 0
}
