import type { Fragment } from 'postgres'
import type { DeliveryStatus } from '@tidings/contracts'
import type { EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { DeliverySelection } from './delivery-filter.ts'

/** Ids from `low` up to but not including `high`. */
export type IdRange = { low: number, high: number }

/** Deleted webhooks of a user that are read at a time, the last deleted ones; besides all that are not deleted. */
export const MAX_DELETED = 500

/** States that an index lists: others are looked for among all deliveries. */
const LISTED: DeliveryStatus[] = ['failed', 'superseded', 'closed']

export const ANY_ID: IdRange = { low: 0, high: Number.MAX_SAFE_INTEGER }

const columns = (sql: RawSql) => sql`${otherColumns(sql)}, d.chain`
const otherColumns = (sql: RawSql) =>
  sql`d.id, d.webhook_id, d.event_ms, d.event_seq, d.origin, d.origin_id, d.type, d.state, d.created_at`

type Limit = ReturnType<RawSql['unsafe']>
type Part = { sql: RawSql, range: IdRange, limit: Limit }
/** Pending deliveries of one webhook, or of all. */
type Pending = Record<'isOf' | 'webhook' | 'amongAll', Fragment>

/**
 * A select of candidates, newest first: at most `limit` rows of each part, a range of one index. The columns `part` and
 * `webhook` identify the part: where one has as many rows as the limit, older ones were not read.
 *
 * Conditions and order name all columns of the index, as row values: no other index fits both, whatever the statistics
 * say, so that no plan reads more rows than the limit.
 */
export function candidates (sql: RawSql, selection: DeliverySelection, range: IdRange, bound: number) {
  // Literal: the plan for any parameter would suppose that a tenth of the table is read.
  const part = { sql, range, limit: sql.unsafe(String(bound)) }
  const { bulkId, eventId, originId, jobId, userId, webhookId } = selection
  if (bulkId !== undefined) return ofBulk(part, bulkId, userId)
  if (eventId && (userId ?? webhookId) !== undefined) return ofEvent(part, selection, eventId)
  if (originId !== undefined) return ofOrigin(part, originId)
  if (jobId !== undefined) return ofJob(part, jobId)
  if (userId !== undefined || webhookId !== undefined) return ofWebhooks(part, selection)
  return ofAll(part, selection)
}

/** The webhooks of a selection, as a select of their ids. */
export function webhooksOf (sql: RawSql, { userId, webhookId, kinds, eventId }: DeliverySelection, before: number) {
  const isOfKind = kinds ? sql`and kind = any(${kinds}::text[])` : sql``
  const isOwned = userId === undefined ? sql`` : sql`and user_id = ${userId}`
  if (webhookId !== undefined) {
    return sql`select id from webhooks.webhooks where id = ${webhookId} ${isOwned} ${isOfKind}`
  }
  // Those that existed then: a delivery is created while its webhook exists, or seconds later.
  const existed = eventId
    ? sql`and deleted_at >= to_timestamp(${eventId.ms}::float8 / 1000) - interval '1 minute' order by deleted_at`
    : sql`and created_at <= (
        select coalesce((select created_at from webhooks.all_deliveries where id < ${before} order by id desc limit 1), now()))
        order by deleted_at desc`
  return sql`
    select id from webhooks.webhooks where deleted_at is null ${isOwned} ${isOfKind}
    union all
    (select id from webhooks.webhooks where deleted_at is not null ${isOwned} ${isOfKind} ${existed} limit ${MAX_DELETED})`
}

/** The parts of each webhook: the listed states by their index, all deliveries otherwise. */
function ofWebhooks (part: Part, selection: DeliverySelection) {
  const { sql } = part
  const parts = partsOf(selection).map((state, n) => {
    if (state === 'pending') return pendingOfWebhook(part, n)
    return state ? stateOfWebhook(part, n, state) : allOfWebhook(part, n)
  })
  return sql`
    select of_webhook.* from (${webhooksOf(sql, selection, part.range.high)}) w
    cross join lateral (${unionAll(sql, parts)}) of_webhook`
}

/** How many parts each webhook has. */
export function partsOf ({ statuses = [] }: DeliverySelection): (DeliveryStatus | undefined)[] {
  const isListed = (status: DeliveryStatus) => status === 'pending' || LISTED.includes(status)
  return statuses.length > 0 && statuses.every(isListed) ? [...new Set(statuses)] : [undefined]
}

/** By index deliveries_of_webhook. */
function allOfWebhook ({ sql, range, limit }: Part, n: number) {
  return sql`
    select ${columns(sql)}, d.webhook_id as webhook, ${n}::int as part from webhooks.all_deliveries d
    where (d.webhook_id, d.id) < (w.id, ${range.high}::bigint) and (d.webhook_id, d.id) >= (w.id, ${range.low}::bigint)
    order by d.webhook_id desc, d.id desc limit ${limit}`
}

/** By index unhappy_deliveries. */
function stateOfWebhook ({ sql, range, limit }: Part, n: number, state: DeliveryStatus) {
  return sql`
    select ${columns(sql)}, d.webhook_id as webhook, ${n}::int as part from webhooks.all_deliveries d
    where d.state in ('failed', 'superseded', 'closed')
      and (d.webhook_id, d.state, d.id) < (w.id, ${state}, ${range.high}::bigint) and (d.webhook_id, d.state, d.id) >= (w.id, ${state}, ${range.low}::bigint)
    order by d.webhook_id desc, d.state desc, d.id desc limit ${limit}`
}

function pendingOfWebhook (part: Part, n: number) {
  const { sql } = part
  return pendingOf(part, n, {
    isOf: sql`d.webhook_id = w.id and`, webhook: sql`webhook_id`, amongAll: allOfWebhook(part, n)
  })
}

/**
 * All pending ones, by index due_deliveries, where they are fewer than the limit. That index has another
 * order: otherwise they are looked for among all deliveries (`amongAll`), of which they are many then.
 */
function pendingOf ({ sql, range, limit }: Part, n: number, { isOf, webhook, amongAll }: Pending) {
  return sql`
    with waiting as materialized (
      select ${columns(sql)} from webhooks.deliveries d
      where ${isOf} d.state = 'pending' order by d.webhook_id, d.due_at limit ${limit}),
    counted as materialized (select count(*) as count from waiting)
    select waiting.*, ${webhook} as webhook, ${n}::int as part from waiting
    where id < ${range.high} and id >= ${range.low} and (select count from counted) < ${limit}
    union all
    select among_all.* from (${amongAll}) among_all where (select count from counted) >= ${limit}`
}

/** Of all users: by primary key, or by index deliveries_by_state. */
function ofAll (part: Part, selection: DeliverySelection) {
  const { sql, range, limit } = part
  const all = (n: number) => sql`
    select ${columns(sql)}, 0 as webhook, ${n}::int as part from webhooks.all_deliveries d
    where d.id < ${range.high} and d.id >= ${range.low} order by d.id desc limit ${limit}`
  const inState = (state: DeliveryStatus, n: number) => sql`
    select ${columns(sql)}, 0 as webhook, ${n}::int as part from webhooks.all_deliveries d
    where d.state in ('failed', 'superseded', 'closed')
      and (d.state, d.id) < (${state}, ${range.high}::bigint) and (d.state, d.id) >= (${state}, ${range.low}::bigint)
    order by d.state desc, d.id desc limit ${limit}`
  const pending = (n: number) => pendingOf(part, n, { isOf: sql``, webhook: sql`0`, amongAll: all(n) })
  return unionAll(sql, partsOf(selection).map((state, n) => {
    if (state === 'pending') return pending(n)
    return state ? inState(state, n) : all(n)
  }))
}

/** Of one job id, whatever the queue and the user: by index deliveries_of_job; then what was repeated of its events. */
function ofJob ({ sql, range, limit }: Part, jobId: string) {
  const id = sql`substr(d.chain, strpos(d.chain, ':') + 1) collate "C"`
  const inRange = ({ low, high }: IdRange) => sql`
    select ${columns(sql)} from webhooks.all_deliveries d
    where d.chain is not null and (${id}, d.id) < (${jobId}, ${high}::bigint) and (${id}, d.id) >= (${jobId}, ${low}::bigint)
    order by ${id} desc, d.id desc limit ${limit}`
  return sql`
    select own.*, 0 as webhook, 0 as part from (${inRange(range)}) own
    union all
    (select ${otherColumns(sql)}, e.chain, 0 as webhook, 1 as part
      from (select distinct event_ms, event_seq, chain from (${inRange(ANY_ID)}) newest) e
      cross join lateral (${repetitions({ sql, range, limit })}) d
      order by d.id desc limit ${limit})`
}

/** Of one event, to the webhooks that existed then: by indexes one_delivery_per_event and repeated_deliveries. */
function ofEvent ({ sql, range, limit }: Part, selection: DeliverySelection, { ms, seq }: EventId) {
  return sql`
    select ${columns(sql)}, d.webhook_id as webhook, 0 as part
    from (${webhooksOf(sql, selection, range.high)}) w
    join webhooks.all_deliveries d on d.webhook_id = w.id and d.event_ms = ${ms} and d.event_seq = ${seq} and d.origin = 'event'
    where d.id < ${range.high} and d.id >= ${range.low}
    union all
    select ${columns(sql)}, 0 as webhook, 1 as part
    from (select ${ms}::bigint as event_ms, ${seq}::bigint as event_seq) e
    cross join lateral (${repetitions({ sql, range, limit })}) d`
}

/** Redeliveries and replays of the event `e`. */
function repetitions ({ sql, range, limit }: Part) {
  return sql`
    select r.* from webhooks.all_deliveries r
    where r.origin in ('redeliver', 'replay') and (r.event_ms, r.event_seq, r.id) < (e.event_ms, e.event_seq, ${range.high}::bigint)
      and (r.event_ms, r.event_seq, r.id) >= (e.event_ms, e.event_seq, ${range.low}::bigint)
    order by r.event_ms desc, r.event_seq desc, r.id desc limit ${limit}`
}

/** Of one redelivered delivery, or of one replay: by index deliveries_of_origin. */
function ofOrigin ({ sql, range, limit }: Part, originId: number) {
  return sql`
    select ${columns(sql)}, 0 as webhook, 0 as part from webhooks.all_deliveries d
    where d.origin_id is not null and (d.origin_id, d.id) < (${originId}::bigint, ${range.high}::bigint) and (d.origin_id, d.id) >= (${originId}::bigint, ${range.low}::bigint)
    order by d.origin_id desc, d.id desc limit ${limit}`
}

/** Of one bulk action: by index bulk_pages_of_bulk, at most 100,000 ids, and then by primary key. */
function ofBulk ({ sql, range: { low, high }, limit }: Part, bulkId: string, userId: string | undefined) {
  return sql`
    select ${columns(sql)}, 0 as webhook, 0 as part from webhooks.all_deliveries d
    where d.id = any(array(
      select made.id from webhooks.bulks b join webhooks.bulk_pages p on p.bulk = b.n
      cross join lateral unnest(p.deliveries) made (id)
      where b.id = ${bulkId}::uuid ${userId === undefined ? sql`` : sql`and b.user_id = ${userId}`}
        and p.last >= ${low} and p.first < ${high} and made.id >= ${low} and made.id < ${high}
      order by made.id desc limit ${limit}))`
}

function unionAll (sql: RawSql, selects: Fragment[]): Fragment {
  return selects.map(one => sql`(${one})`).reduce((all, one) => sql`${all} union all ${one}`)
}
