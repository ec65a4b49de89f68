import { isUnclaimed, pendingWebhooks } from '../db/fragments.ts'
import type { Sql } from '../db/sql.ts'

/** Rows at a time, so that no statement holds a dead endpoint's million rows. */
const PAGE = 1000

/**
 * Closes pending deliveries of disabled or deleted webhooks, with the reason;
 * returns whether there may be more. Deliveries in flight are left to their
 * outcome.
 */
export async function closeUndeliverable (sql: Sql): Promise<boolean> {
  const { count } = await sql`
    with recursive ${pendingWebhooks(sql)},
    undeliverable as materialized (
      select p.webhook_id, case
        when w.status = 'disabled' and w.deleted_at is null then coalesce('The webhook was disabled: ' || w.disabled_reason, 'The webhook was disabled')
        else 'The webhook was deleted' end as reason
      from pending_webhooks p left join webhooks.webhooks w on w.id = p.webhook_id
      where p.webhook_id is not null and (w.id is null or w.deleted_at is not null or w.status = 'disabled')
    ),
    page as (
      select d.id, u.reason from undeliverable u cross join lateral (
        select d.id from webhooks.deliveries d
        where d.webhook_id = u.webhook_id and d.state = 'pending' and ${isUnclaimed(sql)}
        order by d.due_at limit ${PAGE} for update of d skip locked) d
      limit ${PAGE}
    )
    update webhooks.deliveries d set state = 'closed', reason = page.reason, claim = null, finished_at = now()
    from page where d.id = any(array(select id from page)) and d.id = page.id and d.finished_at is null`
  return count === PAGE
}
