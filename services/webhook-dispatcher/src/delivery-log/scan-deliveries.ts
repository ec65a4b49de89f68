import type { RawSql } from '@tidings/service-kit'
import { inIndexOrder } from '../db/in-index-order.ts'
import type { DeliverySelection } from './delivery-filter.ts'
import { idAt } from './id-at.ts'
import { ANY_ID, candidates, MAX_DELETED, partsOf, webhooksOf, type IdRange } from './sources.ts'

/** Rows read for one page, shared by the webhooks; the page says where the scan ended. */
const MAX_SCANNED = 8192
/** Rows of each part that are read first: they suffice for most pages. */
const MIN_BOUND = 32
/** Time between `created_at`, the start of a statement, and its end: statements have a timeout of 10 s. */
const DISORDER_MS = 10_000

/** The page of a list that starts below an id. */
export type Place = { before?: number | undefined, limit: number }

export type DeliveryPage = {
  /** Newest first. */
  ids: number[]
  /** The next page starts below this id; null at the end. */
  next: number | null
  /** The scan ended at `next` before the page was full. */
  isTruncated: boolean
}

/**
 * The ids of a page of the selected deliveries, newest first. Whatever is selected, at most 8,192 rows are read by an
 * index, or a page of each webhook if those are more; where they do not fill the page, the next one continues after
 * them.
 */
export async function scanDeliveries (
  sql: RawSql, wanted: DeliverySelection, place: Place
): Promise<DeliveryPage> {
  return await inIndexOrder(sql, async tx => await scanInOrder(tx, wanted, place))
}

async function scanInOrder (
  sql: RawSql, wanted: DeliverySelection, { before = ANY_ID.high, limit }: Place
): Promise<DeliveryPage> {
  const selection = await withUser(sql, wanted)
  const { range, isPart } = await rangeOf(sql, selection, before)
  if (range.low >= range.high) return { ids: [], next: null, isTruncated: false }
  const bound = 2 * powerOf2(Math.max(MIN_BOUND / 2, limit))
  const first = await scan(sql, selection, { range, limit, bound })
  const page = first.isTruncated
    ? await scan(sql, selection, { range, limit, bound: await largestBound(sql, selection, range, bound) })
    : first
  return page.next === null && isPart ? { ...page, next: range.low, isTruncated: true } : page
}

/** The deliveries of an event are found by the webhooks of its user. */
async function withUser (sql: RawSql, selection: DeliverySelection): Promise<DeliverySelection> {
  const { userId, webhookId, eventId } = selection
  if (userId !== undefined || webhookId !== undefined || !eventId) return selection
  const [event] = await sql<{ user_id: string }[]>`
    select user_id from webhooks.events where event_ms = ${eventId.ms} and event_seq = ${eventId.seq}`
  return { ...selection, userId: event?.user_id }
}

/** The ids among which all deliveries created in a time are, with others of the seconds before and after it. */
export async function idRange (sql: RawSql, { from, to }: Pick<DeliverySelection, 'from' | 'to'>): Promise<IdRange> {
  const [low, high] = await Promise.all([
    from === undefined ? ANY_ID.low : idAt(sql, from - DISORDER_MS),
    to === undefined ? ANY_ID.high : idAt(sql, to + DISORDER_MS)
  ])
  return { low, high }
}

/**
 * The ids among which the deliveries are. `isPart`: a user has had more webhooks than are read at a time, so older
 * deliveries are left to the next page, which finds other webhooks.
 */
async function rangeOf (
  sql: RawSql, selection: DeliverySelection, before: number
): Promise<{ range: IdRange, isPart: boolean }> {
  const { from, to, userId, webhookId, eventId, bulkId } = selection
  const isByWebhook = userId !== undefined && (webhookId ?? eventId ?? bulkId) === undefined
  const [{ low, high: end }, all] = await Promise.all([
    idRange(sql, { from, to }),
    !isByWebhook ? undefined : lastDeletedBeyond(sql, selection, before)
  ])
  const high = Math.min(before, end)
  const complete = all === undefined ? ANY_ID.low : await idAt(sql, all + DISORDER_MS)
  const isPart = complete > low && complete < high
  return { range: { low: isPart ? complete : low, high }, isPart }
}

/** When the first webhook was deleted that is not read any more; deliveries created later are all found. */
async function lastDeletedBeyond (
  sql: RawSql, { userId }: DeliverySelection, before: number
): Promise<number | undefined> {
  const [row] = await sql<{ ms: number }[]>`
    select (extract(epoch from deleted_at) * 1000)::bigint as ms from webhooks.webhooks
    where user_id = ${userId as string} and deleted_at is not null and created_at <= (
      select coalesce((select created_at from webhooks.all_deliveries where id < ${before} order by id desc limit 1), now()))
    order by deleted_at desc offset ${MAX_DELETED} limit 1`
  return row?.ms
}

type Scan = { range: IdRange, limit: number, bound: number }

/** Reads the candidates of each part up to the bound, and selects among them, down to where all parts were read. */
async function scan (
  sql: RawSql, selection: DeliverySelection, { range, limit, bound }: Scan
): Promise<DeliveryPage> {
  const [found] = await sql<{ end: number | null, ids: number[] }[]>`
    with scanned as materialized (${candidates(sql, selection, range, bound)}),
    -- The highest id below which a part was not read.
    ended as materialized (
      select max(last) as id from (
        select min(id) as last from scanned group by webhook, part having count(*) >= ${bound}) parts)
    select (select id from ended) as end, (
      select coalesce(json_agg(id order by id desc), '[]') from (
        select s.id from scanned s ${conditions(sql, selection)} and s.id >= coalesce((select id from ended), 0)
        order by s.id desc limit ${limit + 1}) page) as ids`
  const { end, ids } = found as { end: number | null, ids: number[] }
  if (ids.length > limit) return { ids: ids.slice(0, limit), next: ids[limit - 1] as number, isTruncated: false }
  return { ids, next: end, isTruncated: end !== null }
}

/** The rows of each part that may be read, so that all parts together read no more than a scan may. */
async function largestBound (
  sql: RawSql, selection: DeliverySelection, { high }: IdRange, smallest: number
): Promise<number> {
  const { userId, webhookId, eventId, originId, jobId, bulkId } = selection
  const parts = partsOf(selection).length
  const isByWebhook = userId !== undefined && (webhookId ?? eventId ?? originId ?? jobId ?? bulkId) === undefined
  if (!isByWebhook) return powerOf2(MAX_SCANNED / parts)
  const [row] = await sql<{ count: number }[]>`select count(*)::int from (${webhooksOf(sql, selection, high)}) webhooks`
  return Math.max(smallest, powerOf2(MAX_SCANNED / parts / Math.max(1, row?.count ?? 0)))
}

/** The highest power of 2 up to a number: few different statements, which Postgres keeps prepared. */
function powerOf2 (number: number): number {
  return 2 ** Math.floor(Math.log2(number))
}

/** Joins and conditions for all that the candidates were not selected by. */
function conditions (sql: RawSql, selection: DeliverySelection) {
  const { userId, webhookId, kinds, jobId, queue, eventId } = selection
  const { eventTypes, statuses, origins, originId, from, to } = selection
  // Redeliveries and replays have no ordering key of their own.
  const key = sql`coalesce(s.chain, (
    select e.chain from webhooks.events e where e.event_ms = s.event_ms and e.event_seq = s.event_seq))`
  return sql`
    join webhooks.webhooks w on w.id = s.webhook_id
      ${userId === undefined ? sql`` : sql`and w.user_id = ${userId}`}
      ${webhookId === undefined ? sql`` : sql`and w.id = ${webhookId}`}
      ${kinds ? sql`and w.kind = any(${kinds}::text[])` : sql``}
    where true
      ${jobId === undefined ? sql`` : sql`and substr(${key}, strpos(${key}, ':') + 1) = ${jobId}`}
      ${queue === undefined ? sql`` : sql`and split_part(${key}, ':', 1) = ${queue}`}
      ${eventId ? sql`and s.event_ms = ${eventId.ms} and s.event_seq = ${eventId.seq}` : sql``}
      ${eventTypes ? sql`and s.type = any(${eventTypes}::text[])` : sql``}
      ${statuses ? sql`and s.state = any(${statuses}::text[])` : sql``}
      ${origins ? sql`and s.origin = any(${origins}::text[])` : sql``}
      ${originId === undefined ? sql`` : sql`and s.origin_id = ${originId}`}
      ${from === undefined ? sql`` : sql`and s.created_at >= to_timestamp(${from}::float8 / 1000)`}
      ${to === undefined ? sql`` : sql`and s.created_at < to_timestamp(${to}::float8 / 1000)`}`
}
