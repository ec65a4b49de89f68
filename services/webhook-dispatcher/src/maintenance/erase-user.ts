import { createBulkStore, type RawSql } from '@tidings/service-kit'
import { inIndexOrder } from '../db/in-index-order.ts'

/** Rows at a time, so that no statement holds many of them for long. */
const PAGE = 2000

/**
 * Deletes a page of all data of a user: secrets, deliveries with their attempts, payloads, replays. Webhooks of every
 * kind are marked as deleted first, so that within a second no replica starts another attempt; `eraseWebhooks` deletes
 * their rows. Returns the number of rows found; 0 when nothing is left but those.
 */
export async function erasePage (sql: RawSql, userId: string): Promise<number> {
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
      delete from webhooks.replay_requests where webhook_id in (select id from webhooks.webhooks where user_id = ${userId})`
  ]
  const bulks = await createBulkStore(sql, 'webhooks').erase(userId)
  return counts.reduce((sum, { count }) => sum + count, bulks)
}

/**
 * Deletes the webhooks of a user that have no deliveries. Deliveries are found by their webhooks, so this comes last:
 * when no replica has events left to insert that matched them. Returns whether none is left.
 */
export async function eraseWebhooks (sql: RawSql, userId: string): Promise<boolean> {
  await sql`
    delete from webhooks.webhooks w where w.id in (
      select id from webhooks.webhooks o
      where o.user_id = ${userId} and o.deleted_at is not null
        and (select max(d.id) from webhooks.all_deliveries d where d.webhook_id = o.id) is null limit ${PAGE} for update skip locked)`
  const left = await sql`select from webhooks.webhooks where user_id = ${userId} limit 1`
  return left.length === 0
}

/**
 * Deliveries in flight too: the outcome of the attempt finds no row and is not written. By index deliveries_of_webhook.
 * The rows are locked by a statement before: one that locks and deletes would not see the attempts that were written
 * with an outcome between its snapshot and its locks, and leave them behind.
 */
async function eraseDeliveries (sql: RawSql, userId: string) {
  return await inIndexOrder(sql, async tx => {
    const page = await tx<{ id: number }[]>`
      select d.id from webhooks.webhooks w cross join lateral (
        select id from webhooks.all_deliveries where webhook_id = w.id order by id limit ${PAGE} for update skip locked) d
      where w.user_id = ${userId} limit ${PAGE}`
    const ids = page.map(({ id }) => id)
    await tx`delete from webhooks.attempts where delivery_id = any(${ids}::bigint[])`
    return await tx`delete from webhooks.all_deliveries where id = any(${ids}::bigint[])`
  })
}
