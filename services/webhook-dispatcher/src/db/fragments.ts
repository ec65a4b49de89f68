import type { Sql } from './sql.ts'

/**
 * A recursive CTE, `pending_webhooks (webhook_id)`: the webhooks with pending deliveries above an id, in the order of
 * their ids. It hops over the index due_deliveries from webhook to webhook, whatever each has waiting; its last row is
 * null.
 */
export function pendingWebhooks (sql: Sql, after = 0) {
  return sql`
    pending_webhooks (webhook_id) as (
      (select webhook_id from webhooks.deliveries where state = 'pending' and webhook_id > ${after} order by webhook_id, due_at limit 1)
      union all
      select (select d.webhook_id from webhooks.deliveries d where d.state = 'pending' and d.webhook_id > w.webhook_id order by d.webhook_id, d.due_at limit 1)
      from pending_webhooks w where w.webhook_id is not null
    )`
}

/** Whether no living worker holds the delivery `d`. */
export function isUnclaimed (sql: Sql) {
  return sql`(d.claim is null or d.claim not in (select id from webhooks.workers where lease_until > now()))`
}
