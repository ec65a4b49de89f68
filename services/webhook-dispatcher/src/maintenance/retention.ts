import {
  DAY_MS, dropDays, leaveToOthers, LOCK_TIMEOUT, tryLocks, undatedPartsOf, type DayTable, type RawSql
} from '@tidings/service-kit'
import { ATTEMPTS, EVENTS, firstDeliveryId } from '../db/day-tables.ts'
import { closedParts, CURRENT_PART } from '../db/delivery-parts.ts'
import { isUnclaimed, pendingWebhooks } from '../db/fragments.ts'
import type { Sql } from '../db/sql.ts'

/** Rows at a time: short statements, and room for others between them. */
const PAGE = 5000
/** Rows of skipped events that are kept, the newest. */
const MAX_SKIPPED = 10_000
/** A part that the dispatcher has closed may have some more hours than a day, seldom a day more. */
const MAX_SPAN_MS = 2 * DAY_MS

type Retention = { deliveriesMs: number, payloadsMs: number }

/**
 * Removes what is older than its retention; returns whether there may be more.
 * Deliveries that still wait when their payload expires are closed first.
 * Payloads, attempts and deliveries go a whole day at a time; other rows are found from the old end of a primary key:
 * ids and event ids grow with time.
 */
export async function removeOld (sql: RawSql, { deliveriesMs, payloadsMs }: Retention): Promise<boolean> {
  const counts = [
    await closeExpired(sql, payloadsMs),
    await removePayloads(sql, payloadsMs),
    await removeParts(sql, deliveriesMs),
    await removeDeliveries(sql, CURRENT_PART, deliveriesMs),
    await removeAttempts(sql, deliveriesMs),
    await removeWebhooks(sql, deliveriesMs)
  ]
  await sql`delete from webhooks.gaps where found_at < now() - ${deliveriesMs}::float8 * interval '1 ms'`
  await sql`delete from webhooks.skipped_events where found_at < now() - ${deliveriesMs}::float8 * interval '1 ms'`
  await sql`
    delete from webhooks.skipped_events where (event_ms, event_seq) < (
      select event_ms, event_seq from webhooks.skipped_events order by event_ms desc, event_seq desc offset ${MAX_SKIPPED} limit 1)`
  await sql`delete from webhooks.replay_requests where finished_at < now() - ${deliveriesMs}::float8 * interval '1 ms'`
  await sql`delete from webhooks.secrets where expires_at < now()`
  await sql`delete from webhooks.workers where lease_until < now() - interval '1 hour'`
  return counts.some(count => count === PAGE)
}

/**
 * Closes deliveries of any origin that were due that long ago: they wait for a
 * paused webhook, say. By index due_deliveries, the longest due of each webhook;
 * the others, even millions, are not read. A delivery that was retried since
 * finds its payload gone at its next attempt.
 */
export async function closeExpired (sql: Sql, payloadsMs: number): Promise<number> {
  const { count } = await sql`
    with recursive ${pendingWebhooks(sql)},
    page as (
      select d.id from pending_webhooks w cross join lateral (
        select d.id from webhooks.deliveries d
        where d.webhook_id = w.webhook_id and d.state = 'pending' and d.due_at < now() - ${payloadsMs}::float8 * interval '1 ms'
          and ${isUnclaimed(sql)}
        order by d.due_at limit ${PAGE} for update of d skip locked) d
      limit ${PAGE}
    )
    update webhooks.deliveries d set state = 'closed', claim = null, finished_at = now(), reason = 'It waited for longer than its payload is kept'
    from page where d.id = any(array(select id from page)) and d.id = page.id and d.finished_at is null`
  return count
}

async function removePayloads (sql: RawSql, payloadsMs: number): Promise<number> {
  return await removeBelow(sql, EVENTS, { before: Date.now() - payloadsMs, primaryKey: ['event_ms', 'event_seq'] })
}

/** Below the oldest delivery that is left: one that is still pending keeps its day. */
async function removeAttempts (sql: RawSql, deliveriesMs: number): Promise<number> {
  const [oldest] = await sql<{ id: number }[]>`select id from webhooks.all_deliveries order by id limit 1`
  const before = Math.min(oldest?.id ?? Infinity, firstDeliveryId(Date.now() - deliveriesMs))
  return await removeBelow(sql, ATTEMPTS, { before, primaryKey: ['delivery_id', 'n'] })
}

/**
 * Drops the days whose keys are all lower. Row by row, only what is outside of days: of before there were days, and of
 * a clock that ran ahead. Returns the highest number of rows removed from a part.
 */
async function removeBelow (
  sql: RawSql, table: DayTable, { before, primaryKey }: { before: number, primaryKey: [string, string] }
): Promise<number> {
  await dropDays(sql, table, { before })
  const counts = (await undatedPartsOf(sql, table)).map(async part => {
    const { count } = await sql`
      delete from ${sql.unsafe(part)} where (${sql(primaryKey)}) in (
        select ${sql(primaryKey)} from ${sql.unsafe(part)}
        where ${sql(table.key)} < ${before}::bigint order by ${sql(primaryKey)} limit ${PAGE})`
    return count
  })
  return Math.max(0, ...await Promise.all(counts))
}

/**
 * Drops the parts whose deliveries are all too old. Row by row, only where a part has more days than the dispatcher
 * makes it: that of before there were parts. Returns the highest number of rows removed from a part.
 */
export async function removeParts (sql: RawSql, deliveriesMs: number): Promise<number> {
  let most = 0
  for (const part of await closedParts(sql)) {
    const [ends] = await sql.unsafe<{ oldest: number, newest: number }[]>(`
      select (extract(epoch from now() - a.created_at) * 1000)::float8 as oldest, (extract(epoch from now() - b.created_at) * 1000)::float8 as newest
      from (select created_at from ${part} order by id limit 1) a, (select created_at from ${part} order by id desc limit 1) b`)
    if (ends === undefined || ends.newest > deliveriesMs) await dropPart(sql, part)
    else if (ends.oldest > deliveriesMs && ends.oldest - ends.newest > MAX_SPAN_MS) {
      most = Math.max(most, await removeDeliveries(sql, part, deliveriesMs))
    }
  }
  return most
}

/** No writer uses a closed part. Where it stays in use, the next run drops it. */
async function dropPart (sql: RawSql, part: string): Promise<void> {
  await tryLocks(async mode => await sql.unsafe(
    `${LOCK_TIMEOUT}; lock table ${part} in access exclusive mode ${mode}; drop table ${part}`
  )).catch(leaveToOthers)
}

async function removeDeliveries (sql: RawSql, part: string, deliveriesMs: number): Promise<number> {
  const { count } = await sql`
    with old as materialized (
      select id from (select id, state, created_at from ${sql.unsafe(part)} order by id limit ${PAGE}) oldest
      where state <> 'pending' and created_at < now() - ${deliveriesMs}::float8 * interval '1 ms'
    )
    delete from ${sql.unsafe(part)} where id = any(array(select id from old))`
  return count
}

/** Deleted webhooks, and hidden ones of jobs, once no delivery refers to them. */
async function removeWebhooks (sql: Sql, deliveriesMs: number): Promise<number> {
  const { count } = await sql`
    delete from webhooks.webhooks w where id in (
      select id from webhooks.webhooks o
      where (o.deleted_at is not null or o.kind = 'job')
        and coalesce(o.deleted_at, o.created_at) < now() - ${deliveriesMs}::float8 * interval '1 ms'
        and (select max(d.id) from webhooks.all_deliveries d where d.webhook_id = o.id) is null
      limit ${PAGE})`
  return count
}
