import type { Sql } from '../db/sql.ts'

/** Rows at a time: short statements, and room for others between them. */
const PAGE = 5000
/** Events that were left out of which there are rows, the newest ones. */
const MAX_SKIPPED = 10_000

type Retention = { deliveriesMs: number, payloadsMs: number }

/**
 * Deletes what is older than is kept; returns whether there may be more. What
 * still waits when its payload goes is closed first. Rows are found from the
 * old end of a primary key: ids and event ids grow with time.
 */
export async function removeOld (sql: Sql, { deliveriesMs, payloadsMs }: Retention): Promise<boolean> {
  const counts = [
    await closeExpired(sql, payloadsMs),
    await dropPayloads(sql, payloadsMs),
    await dropDeliveries(sql, deliveriesMs),
    await dropWebhooks(sql, deliveriesMs)
  ]
  await sql`delete from webhooks.gaps where found_at < now() - ${deliveriesMs}::float8 * interval '1 ms'`
  await sql`delete from webhooks.skipped_events where found_at < now() - ${deliveriesMs}::float8 * interval '1 ms'`
  await sql`
    delete from webhooks.skipped_events where (event_ms, event_seq) < (
      select event_ms, event_seq from webhooks.skipped_events order by event_ms desc, event_seq desc offset ${MAX_SKIPPED} limit 1)`
  await sql`delete from webhooks.replays where finished_at < now() - ${deliveriesMs}::float8 * interval '1 ms'`
  await sql`delete from webhooks.secrets where expires_at < now()`
  await sql`delete from webhooks.claimants where lease_until < now() - interval '1 hour'`
  return counts.some(count => count === PAGE)
}

/**
 * What was due that long ago, whatever its origin: it waits for a paused
 * webhook, say. By index due_deliveries, the longest due of each webhook: what
 * else waits, be it millions, is not looked at. What was retried since finds
 * its payload gone when its time comes.
 */
export async function closeExpired (sql: Sql, payloadsMs: number): Promise<number> {
  const { count } = await sql`
    with recursive waiting (webhook_id) as (
      (select webhook_id from webhooks.deliveries where state = 'pending' order by webhook_id, due_at limit 1)
      union all
      select (select d.webhook_id from webhooks.deliveries d where d.state = 'pending' and d.webhook_id > w.webhook_id order by d.webhook_id, d.due_at limit 1)
      from waiting w where w.webhook_id is not null
    ),
    page as (
      select d.id from waiting w cross join lateral (
        select d.id from webhooks.deliveries d
        where d.webhook_id = w.webhook_id and d.state = 'pending' and d.due_at < now() - ${payloadsMs}::float8 * interval '1 ms'
          and (d.claim is null or d.claim not in (select id from webhooks.claimants where lease_until > now()))
        order by d.due_at limit ${PAGE} for update of d skip locked) d
      limit ${PAGE}
    )
    update webhooks.deliveries d set state = 'closed', claim = null, finished_at = now(), reason = 'It waited for longer than its payload is kept'
    from page where d.id = any(array(select id from page)) and d.id = page.id and d.finished_at is null`
  return count
}

async function dropPayloads (sql: Sql, payloadsMs: number): Promise<number> {
  const { count } = await sql`
    delete from webhooks.events e using (
      select event_ms, event_seq from webhooks.events
      where event_ms < (extract(epoch from now()) * 1000 - ${payloadsMs}::float8)::bigint
      order by event_ms, event_seq limit ${PAGE}) old
    where e.event_ms = old.event_ms and e.event_seq = old.event_seq`
  return count
}

async function dropDeliveries (sql: Sql, deliveriesMs: number): Promise<number> {
  const { count } = await sql`
    with old as materialized (
      select id from (select id, state, created_at from webhooks.deliveries order by id limit ${PAGE}) oldest
      where state <> 'pending' and created_at < now() - ${deliveriesMs}::float8 * interval '1 ms'
    ),
    a as (delete from webhooks.attempts where delivery_id in (select id from old))
    delete from webhooks.deliveries where id in (select id from old)`
  return count
}

/** Deleted ones, and hidden ones of jobs, once nothing speaks of them any more. */
async function dropWebhooks (sql: Sql, deliveriesMs: number): Promise<number> {
  const { count } = await sql`
    delete from webhooks.webhooks w where id in (
      select id from webhooks.webhooks o
      where (o.deleted_at is not null or o.kind = 'job')
        and coalesce(o.deleted_at, o.created_at) < now() - ${deliveriesMs}::float8 * interval '1 ms'
        and not exists (select from webhooks.deliveries d where d.webhook_id = o.id)
      limit ${PAGE})`
  return count
}
