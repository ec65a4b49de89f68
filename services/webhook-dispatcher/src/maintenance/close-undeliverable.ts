import type { Sql } from '../db/sql.ts'

/** At a time, so that no statement holds a dead endpoint's million rows. */
const PAGE = 1000

/**
 * Closes pending deliveries of webhooks that are disabled or deleted, with the
 * reason; returns whether there may be more. What is in flight is left to its
 * end. Hops over the index due_deliveries, from webhook to webhook.
 */
export async function closeUndeliverable (sql: Sql): Promise<boolean> {
  const { count } = await sql`
    with recursive
    waiting (webhook_id) as (
      (select webhook_id from webhooks.deliveries where state = 'pending' order by webhook_id, due_at limit 1)
      union all
      select (select d.webhook_id from webhooks.deliveries d where d.state = 'pending' and d.webhook_id > w.webhook_id order by d.webhook_id, d.due_at limit 1)
      from waiting w where w.webhook_id is not null
    ),
    orphaned as materialized (
      select waiting.webhook_id, case
        when w.status = 'disabled' and w.deleted_at is null then coalesce('The webhook was disabled: ' || w.disabled_reason, 'The webhook was disabled')
        else 'The webhook was deleted' end as reason
      from waiting left join webhooks.webhooks w on w.id = waiting.webhook_id
      where waiting.webhook_id is not null and (w.id is null or w.deleted_at is not null or w.status = 'disabled')
    ),
    page as (
      select d.id, o.reason from orphaned o cross join lateral (
        select d.id from webhooks.deliveries d
        where d.webhook_id = o.webhook_id and d.state = 'pending'
          and (d.claim is null or d.claim not in (select id from webhooks.claimants where lease_until > now()))
        order by d.due_at limit ${PAGE} for update of d skip locked) d
      limit ${PAGE}
    )
    update webhooks.deliveries d set state = 'closed', reason = page.reason, claim = null, finished_at = now()
    from page where d.id = any(array(select id from page)) and d.id = page.id and d.finished_at is null`
  return count === PAGE
}
