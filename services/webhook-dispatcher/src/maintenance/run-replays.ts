import type { ReplayConditions } from '@tidings/contracts'
import { planAfresh, type RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'
import { lastRead, selectedEvents, type ReplayedWebhook } from '../delivery-log/replay-selection.ts'

const PAGE = 500
/** A replay adds no more deliveries while this many of its own wait. */
const MAX_WAITING = 500

type ReplayRow = {
  id: number
  webhook_id: number
  at_ms: number
  at_seq: number
  until_ms: number
  until_seq: number
  conditions: ReplayConditions | null
  /** Null where it receives nothing any more. */
  webhook: ReplayedWebhook | null
}

export type ReplayProgress = { added: number, hasMore: boolean }

/**
 * Takes each open replay one page further: deliveries and the replay's position in one transaction, so that a crash
 * repeats nothing and leaves nothing out. Resolves to the number of deliveries, and whether another run has something
 * to do at once.
 */
export async function runReplays (sql: RawSql): Promise<ReplayProgress> {
  return await sql.begin(async tx => {
    const open = await openReplays(tx)
    if (open.length > 0) await planAfresh(tx)
    let added = 0
    for (const replay of open) added += await addPage(tx, replay)
    return { added, hasMore: open.length > 0 }
  })
}

/** Open replays with few waiting deliveries, locked; by index waiting_replays. */
export async function openReplays (tx: Sql): Promise<ReplayRow[]> {
  return await tx<ReplayRow[]>`
    select r.id, r.webhook_id, r.at_ms, r.at_seq, r.until_ms, r.until_seq, r.conditions,
      case when w.id is not null then jsonb_build_object(
        'id', w.id, 'userId', w.user_id, 'eventType', w.event_type, 'eventTypes', w.event_types, 'filter', w.filter) end as webhook
    from webhooks.replay_requests r
    left join webhooks.webhooks w on w.id = r.webhook_id and w.deleted_at is null and w.status <> 'disabled'
    where r.finished_at is null and ${MAX_WAITING} > (
      select count(*) from (
        select from webhooks.deliveries d where d.origin = 'replay' and d.origin_id = r.id and d.finished_at is null
        limit ${MAX_WAITING}) waiting)
    order by r.id limit 20 for update of r skip locked`
}

/**
 * A page that is not full, of events that are not as many as are read at a time, ends the replay; so does the end of
 * its webhook.
 */
async function addPage (tx: Sql, replay: ReplayRow): Promise<number> {
  const { id, webhook } = replay
  if (!webhook) {
    await tx`update webhooks.replay_requests set finished_at = now() where id = ${id}`
    return 0
  }
  const selection = {
    webhook,
    conditions: replay.conditions ?? {},
    at: { ms: replay.at_ms, seq: replay.at_seq },
    until: { ms: replay.until_ms, seq: replay.until_seq }
  }
  const [row] = await tx<{ added: number }[]>`
    with page as materialized (${selectedEvents(tx, selection)} limit ${PAGE}),
    added as (
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, origin_id, type, state)
      select ${webhook.id}, event_ms, event_seq, 'replay', ${id}, type, 'pending' from page
      order by event_ms, event_seq
      returning id
    ),
    -- A replayed delivery need not be recovered as well.
    replayed as (
      update webhooks.all_deliveries set lost_at = null where id = any(array(
        select lost.id from page cross join lateral (
          select d.id from webhooks.all_deliveries d
          where d.webhook_id = ${webhook.id} and d.event_ms = page.event_ms and d.event_seq = page.event_seq and d.origin = 'event' and d.lost_at is not null
          limit 1) lost))
    ),
    reached as materialized (
      (select event_ms, event_seq from page where (select count(*) from page) = ${PAGE} order by event_ms desc, event_seq desc limit 1)
      union all
      (select event_ms, event_seq from (${lastRead(tx, selection)}) l where (select count(*) from page) < ${PAGE})
    )
    update webhooks.replay_requests r set
      at_ms = coalesce((select event_ms from reached), r.until_ms),
      at_seq = coalesce((select event_seq from reached), r.until_seq),
      deliveries = r.deliveries + (select count(*) from added),
      first_delivery_id = coalesce(r.first_delivery_id, (select min(added.id) from added)),
      finished_at = case when not exists (select from reached) then now() end
    where r.id = ${id}
    returning (select count(*) from added)::int as added`
  return row?.added ?? 0
}
