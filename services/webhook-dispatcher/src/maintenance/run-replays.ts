import type { RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'

const PAGE = 500
/** A replay adds no more deliveries while this many of its own wait. */
const MAX_WAITING = 500

type ReplayRow = { id: number, webhook_id: number, at_ms: number, at_seq: number, until_ms: number, until_seq: number }

/**
 * Takes each open replay one page further: deliveries and the replay's position
 * in one transaction, so that a crash repeats nothing and leaves nothing out.
 * Returns whether deliveries were added.
 */
export async function runReplays (sql: RawSql): Promise<boolean> {
  return await sql.begin(async tx => {
    const open = await openReplays(tx)
    let added = 0
    for (const replay of open) added += await addPage(tx, replay)
    return added > 0
  })
}

/** Open replays with few waiting deliveries, locked; by index waiting_replays. */
export async function openReplays (tx: Sql): Promise<ReplayRow[]> {
  return await tx<ReplayRow[]>`
    select id, webhook_id, at_ms, at_seq, until_ms, until_seq from webhooks.replays r
    where finished_at is null and ${MAX_WAITING} > (
      select count(*) from (
        select from webhooks.deliveries d where d.origin = 'replay' and d.origin_id = r.id and d.finished_at is null
        limit ${MAX_WAITING}) waiting)
    order by id limit 20 for update skip locked`
}

/** A page that is not full ends the replay; so does the end of its webhook. */
async function addPage (tx: Sql, replay: ReplayRow): Promise<number> {
  const [row] = await tx<{ added: number }[]>`
    with page as materialized (
      select e.event_ms, e.event_seq, e.type from webhooks.webhooks w
      join webhooks.events e on e.user_id = w.user_id
      where w.id = ${replay.webhook_id} and w.deleted_at is null and w.status <> 'disabled'
        and (w.event_type = 'all' or w.event_type = e.type)
        and (e.event_ms, e.event_seq) > (${replay.at_ms}::bigint, ${replay.at_seq}::bigint)
        and (e.event_ms, e.event_seq) <= (${replay.until_ms}::bigint, ${replay.until_seq}::bigint)
      order by e.event_ms, e.event_seq limit ${PAGE}
    ),
    added as (
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, origin_id, type, state)
      select ${replay.webhook_id}, event_ms, event_seq, 'replay', ${replay.id}, type, 'pending' from page
      order by event_ms, event_seq
      returning id
    ),
    -- A replayed delivery need not be recovered as well.
    replayed as (
      update webhooks.deliveries d set lost_at = null from page
      where d.webhook_id = ${replay.webhook_id} and d.event_ms = page.event_ms and d.event_seq = page.event_seq and d.origin = 'event' and d.lost_at is not null
    ),
    last as (select event_ms, event_seq from page order by event_ms desc, event_seq desc limit 1)
    update webhooks.replays r set
      at_ms = coalesce((select event_ms from last), r.at_ms),
      at_seq = coalesce((select event_seq from last), r.at_seq),
      deliveries = r.deliveries + (select count(*) from added),
      finished_at = case when (select count(*) from page) < ${PAGE} then now() end
    where r.id = ${replay.id}
    returning (select count(*) from added)::int as added`
  return row?.added ?? 0
}
