import { pendingWebhooks } from '../../db/fragments.ts'
import type { Sql } from '../../db/sql.ts'

/** Endpoints read at most; only a fault makes more than these wait. */
const MAX_ENDPOINTS = 1000

/**
 * How long the oldest delivery has been due that only this service delays. Left
 * out are webhooks that are paused, whose circuit is open, and that have
 * attempts in flight (`served`): their deliveries wait for the endpoint.
 */
export async function oldestDueSeconds (sql: Sql, served: number[]): Promise<number> {
  const [row] = await sql<{ seconds: number }[]>`
    with recursive ${pendingWebhooks(sql)}
    select coalesce(extract(epoch from now() - min(greatest(oldest.due_at, w.open_until, w.updated_at))), 0)::float8 as seconds
    from (select webhook_id from pending_webhooks where webhook_id is not null limit ${MAX_ENDPOINTS}) scanned
    join webhooks.webhooks w on w.id = scanned.webhook_id and w.status = 'active' and w.deleted_at is null and (w.open_until is null or w.open_until <= now())
      and w.id <> all(${served}::int[])
    cross join lateral (
      select d.due_at from webhooks.deliveries d where d.webhook_id = w.id and d.state = 'pending' order by d.due_at limit 1) oldest
    where oldest.due_at <= now()`
  return row?.seconds ?? 0
}
