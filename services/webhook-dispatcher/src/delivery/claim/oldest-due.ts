import type { Sql } from '../../db/sql.ts'

/** Endpoints looked at; more than these wait only where something else is wrong. */
const MAX_ENDPOINTS = 1000

/**
 * For how long the oldest delivery is due that nothing but us holds up: not
 * paused, not behind an open breaker, since that closed; and not behind others
 * that are `served`, its endpoint's, at the endpoint's own pace.
 */
export async function oldestDueSeconds (sql: Sql, served: number[]): Promise<number> {
  const [row] = await sql<{ seconds: number }[]>`
    with recursive waiting (webhook_id) as (
      (select webhook_id from webhooks.deliveries where state = 'pending' order by webhook_id, due_at limit 1)
      union all
      select (select d.webhook_id from webhooks.deliveries d where d.state = 'pending' and d.webhook_id > w.webhook_id order by d.webhook_id, d.due_at limit 1)
      from waiting w where w.webhook_id is not null
    )
    select coalesce(extract(epoch from now() - min(greatest(oldest.due_at, w.open_until, w.updated_at))), 0)::float8 as seconds
    from (select webhook_id from waiting where webhook_id is not null limit ${MAX_ENDPOINTS}) looked
    join webhooks.webhooks w on w.id = looked.webhook_id and w.status = 'active' and w.deleted_at is null and (w.open_until is null or w.open_until <= now())
      and w.id <> all(${served}::int[])
    cross join lateral (
      select d.due_at from webhooks.deliveries d where d.webhook_id = w.id and d.state = 'pending' order by d.due_at limit 1) oldest
    where oldest.due_at <= now()`
  return row?.seconds ?? 0
}
