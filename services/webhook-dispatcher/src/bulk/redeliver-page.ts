import {
  isActive, numberArray, type BulkRow, type BulkStore, type BulkTx, type ItemOutcome, type RawSql
} from '@tidings/service-kit'

const PAGE = 500
/** Deliveries of a webhook that may wait while more are added, so that new events do not wait behind thousands. */
const MAX_WAITING = 500

type Item = {
  place: number
  delivery: number
  seen: string
  state: string | null
  webhook_id: number
  kind: 'own' | 'legacy' | 'job' | null
  status: string | null
  is_deleted: boolean
  has_payload: boolean
}

type Page = { row: BulkRow | undefined, hasItems: boolean, hasMore: boolean }

/**
 * Redelivers a page of deliveries: the new deliveries, the end of their items and the counts in one transaction, so
 * that a crash repeats nothing. Replicas that work on one bulk action at a time take different items.
 */
export async function redeliverPage (sql: RawSql, store: BulkStore, bulk: BulkRow): Promise<Page> {
  if (!isActive(bulk)) return { row: undefined, hasItems: false, hasMore: false } // nothing is begun and not done
  return await sql.begin(async tx => {
    const items = await nextItems(tx, bulk.n)
    if (items.length === 0) return { row: undefined, hasItems: await hasItems(tx, bulk.n), hasMore: false }
    const outcomes = items.map(outcomeOf)
    const accepted = items.filter((_, i) => outcomes[i]?.outcome === 'done')
    await reactivate(tx, accepted)
    if (accepted.length > 0) {
      const ids = accepted.map(({ delivery }) => delivery)
      await insertRedeliveries(tx, bulk.n, ids)
      await endRecovery(tx, ids)
    }
    return { row: await store.record(bulk.n, outcomes, tx), hasItems: true, hasMore: true }
  })
}

/** The next items of each webhook, as many as may wait there. By indexes bulk_items_of_webhook and due_deliveries. */
export async function nextItems (tx: BulkTx, bulk: number): Promise<Item[]> {
  return await tx<Item[]>`
    with recursive webhook as (
      (select webhook_id as id from webhooks.bulk_items where bulk = ${bulk} order by webhook_id limit 1)
      union all
      select (select webhook_id from webhooks.bulk_items where bulk = ${bulk} and webhook_id > webhook.id order by webhook_id limit 1)
      from webhook where webhook.id is not null
    ),
    endpoint as materialized (
      select w.id, ${MAX_WAITING}::int - waiting.count as capacity from webhook w cross join lateral (
        select count(*)::int as count from (
          select from webhooks.deliveries d where d.webhook_id = w.id and d.state = 'pending' order by d.due_at limit ${MAX_WAITING}) pending) waiting
      where w.id is not null
    ),
    page as materialized (
      select item.* from endpoint cross join lateral (
        select place, delivery, seen from webhooks.bulk_items i
        where i.bulk = ${bulk} and i.webhook_id = endpoint.id
        order by place limit endpoint.capacity for update skip locked) item
      limit ${PAGE}
    )
    select page.place, page.delivery, page.seen, d.state, w.id as webhook_id, w.kind, w.status, w.deleted_at is not null as is_deleted,
      d.body is not null or exists (
        select from webhooks.events e where e.event_ms = d.event_ms and e.event_seq = d.event_seq) as has_payload
    from page
    left join lateral (
      -- The limit is what lets the planner look for each in its part, and read no part as a whole.
      select * from webhooks.all_deliveries where id = page.delivery limit 1) d on true
    left join webhooks.webhooks w on w.id = d.webhook_id
    order by page.place`
}

async function hasItems (tx: BulkTx, bulk: number): Promise<boolean> {
  return (await tx`select from webhooks.bulk_items where bulk = ${bulk} limit 1`).length > 0
}

/** As of a single redelivery. */
function outcomeOf (item: Item): ItemOutcome {
  const { place, delivery, seen, state, kind, status } = item
  const not = (outcome: 'failed' | 'skipped', reason: string) => ({ place, outcome, id: String(delivery), reason })
  if (state === null) return not('skipped', 'The delivery is no longer kept')
  if (state !== seen) return not('skipped', `The delivery is ${state} by now`)
  if (item.is_deleted) return not('failed', 'The webhook was deleted')
  if (!item.has_payload) return not('failed', 'The payload is no longer kept')
  if (status === 'disabled' && kind !== 'job') return not('failed', 'The webhook is disabled')
  return { place, outcome: 'done' }
}

/** The hidden webhooks of jobs' own webhookUrls, which their owner cannot make active. Locked in the order of ids. */
async function reactivate (tx: BulkTx, items: Item[]): Promise<void> {
  const disabled = items.filter(({ status }) => status === 'disabled').map(({ webhook_id: id }) => id)
  if (disabled.length === 0) return
  await tx`
    update webhooks.webhooks set status = 'active', disabled_reason = null, failing_since = null, failures = 0,
      open_until = null, recover_at = now(), updated_at = greatest(now(), updated_at + interval '1 ms')
    where id in (
      select id from webhooks.webhooks where id = any(${numberArray([...new Set(disabled)])}::int[]) order by id for update)`
}

/** As new deliveries outside the order, in the order of the former ones; records that the bulk action made them. */
export async function insertRedeliveries (tx: BulkTx, bulk: number, ids: number[]): Promise<void> {
  await tx`
    with made as (
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, message_id, body, url, origin, origin_id, state)
      select webhook_id, event_ms, event_seq, type, message_id, body, url, 'redeliver',
        case when origin = 'redeliver' and origin_id is not null then origin_id else id end, 'pending'
      from webhooks.all_deliveries where id = any(${numberArray(ids)}::bigint[]) order by id
      returning id
    )
    insert into webhooks.bulk_pages (bulk, first, last, deliveries)
    select ${bulk}, min(id), max(id), array_agg(id) from made having count(*) > 0`
}

/** What is redelivered need not be recovered as well. */
export async function endRecovery (tx: BulkTx, ids: number[]): Promise<void> {
  await tx`
    update webhooks.all_deliveries set lost_at = null where id = any(array(
      select id from webhooks.all_deliveries where id = any(${numberArray(ids)}::bigint[]) and lost_at is not null order by id for update skip locked))`
}
