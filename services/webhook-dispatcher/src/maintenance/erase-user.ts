import { createBulkStore, type RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'

/** Rows at a time, so that no statement holds many of them for long. */
const PAGE = 2000

/**
 * Deletes a page of all data of a user: webhooks of every kind with their secrets, deliveries, attempts and replays,
 * and
 * the payloads. Webhooks come first, so that within a second no replica starts another attempt. Returns the number of
 * rows
 * found; 0 when nothing is left.
 */
export async function erasePage (sql: Sql, userId: string): Promise<number> {
  const counts = [
    await sql`
      update webhooks.webhooks set deleted_at = now(), updated_at = now()
      where user_id = ${userId} and deleted_at is null`,
    await sql`delete from webhooks.secrets where user_id = ${userId}`,
    await eraseDeliveries(sql, userId),
    await sql`
      delete from webhooks.events where (event_ms, event_seq) in (
        select event_ms, event_seq from webhooks.events where user_id = ${userId} order by event_ms, event_seq limit ${PAGE} for update skip locked)`,
    await sql`
      delete from webhooks.replay_requests where webhook_id in (select id from webhooks.webhooks where user_id = ${userId})`,
    await sql`
      delete from webhooks.webhooks w where w.id in (
        select id from webhooks.webhooks o
        where o.user_id = ${userId} and not exists (select from webhooks.deliveries d where d.webhook_id = o.id) limit ${PAGE} for update skip locked)`
  ]
  const bulks = await createBulkStore(sql as RawSql, 'webhooks').erase(userId)
  return counts.reduce((sum, { count }) => sum + count, bulks)
}

/**
 * Deliveries in flight too: the outcome of the attempt finds no row and is not written. By index deliveries_of_webhook.
 */
async function eraseDeliveries (sql: Sql, userId: string) {
  return await sql`
    with page as materialized (
      select d.id from webhooks.webhooks w cross join lateral (
        select id from webhooks.deliveries where webhook_id = w.id order by id limit ${PAGE} for update skip locked) d
      where w.user_id = ${userId} limit ${PAGE}
    ),
    attempts as (delete from webhooks.attempts where delivery_id = any(array(select id from page)))
    delete from webhooks.deliveries where id in (select id from page)`
}
