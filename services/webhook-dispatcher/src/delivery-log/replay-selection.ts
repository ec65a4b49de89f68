import type { DeliveredEventType, ReplayConditions } from '@tidings/contracts'
import type { EventId } from '@tidings/job-events'
import { textArray, withFreshPlans, type RawSql } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'
import { eventTypesOf } from '../webhooks/event-types.ts'
import type { WebhookRow } from '../webhooks/webhook-row.ts'
import { EVENT_HEAD, HEAD_LENGTH } from './subject.ts'

/** Events read in one statement, whether they match or not. */
export const MAX_READ = 5000
/** Events read to count what a replay would deliver. */
const MAX_COUNTED = 100_000

/** The webhook whose events are selected. */
export type ReplayedWebhook = Pick<WebhookRow, 'id' | 'userId' | 'eventType' | 'eventTypes' | 'filter'>

type Selection = { webhook: ReplayedWebhook, conditions: ReplayConditions, at: EventId, until: EventId }

/**
 * Selects the events (`event_ms, event_seq, type`, oldest first) that a webhook would receive now and that meet the
 * conditions of a replay, among the next MAX_READ of its user. Read lazily, so that a limit of the outer query ends it
 * early. By the indexes events_of_user, one_delivery_per_event and repeated_deliveries.
 */
export function selectedEvents (sql: Sql, selection: Selection) {
  const { webhook, conditions } = selection
  const { queues, names } = webhook.filter ?? {}
  return sql`
    select e.event_ms, e.event_seq, e.type from (
      select user_id, event_ms, event_seq, type, chain, body from webhooks.events where ${isInRange(sql, selection)}
      order by user_id, event_ms, event_seq limit ${MAX_READ}) e
    where e.type = any(${textArray(typesOf(webhook, conditions))}::text[])
      ${queues ? sql`and split_part(e.chain, ':', 1) = any(${textArray(queues)}::text[])` : sql``}
      ${names ? sql`and ${hasName(sql, names)}` : sql``}
      ${conditions.status === 'failed' ? sql`and ${hasFailed(sql, webhook.id)}` : sql``}
    order by e.user_id, e.event_ms, e.event_seq`
}

/** Selects the last of the events that `selectedEvents` reads (`event_ms, event_seq`); none where they are fewer. */
export function lastRead (sql: Sql, selection: Selection) {
  return sql`
    select event_ms, event_seq from webhooks.events where ${isInRange(sql, selection)}
    order by user_id, event_ms, event_seq offset ${MAX_READ - 1} limit 1`
}

/**
 * The user is a part of the comparison, and of the order: so events_of_user is the only index that fits, and no plan
 * reads the events of other users between. The times alone leave out other days.
 */
function isInRange (sql: Sql, { webhook: { userId }, at, until }: Selection) {
  return sql`
    (user_id, event_ms, event_seq) > (${userId}, ${at.ms}::bigint, ${at.seq}::bigint)
    and (user_id, event_ms, event_seq) <= (${userId}, ${until.ms}::bigint, ${until.seq}::bigint)
    and event_ms >= ${at.ms} and event_ms <= ${until.ms}`
}

function typesOf (webhook: ReplayedWebhook, { eventTypes }: ReplayConditions): DeliveredEventType[] {
  return eventTypesOf(webhook).filter(type => eventTypes?.includes(type) ?? true)
}

/** Names are compared as the payload has them: as JSON, which is written in one way only. */
function hasName (sql: Sql, names: string[]) {
  const texts = textArray(names.map(name => JSON.stringify(name)))
  return sql`substring(left(e.body, ${HEAD_LENGTH}) from ${EVENT_HEAD}::text) = any(${texts}::text[])`
}

/**
 * A scalar subquery: as an `exists` it might become a join with all that has failed. The newest: an event that was read
 * again after the number of shards changed may have a delivery in two parts.
 */
function hasFailed (sql: Sql, webhookId: number) {
  return sql`(
    select d.state = 'failed' and not exists (
      select from webhooks.all_deliveries r
      where r.event_ms = e.event_ms and r.event_seq = e.event_seq and r.origin in ('redeliver', 'replay')
        and r.webhook_id = ${webhookId} and r.state in ('pending', 'delivered'))
    from webhooks.all_deliveries d
    where d.webhook_id = ${webhookId} and d.event_ms = e.event_ms and d.event_seq = e.event_seq and d.origin = 'event'
    order by d.id desc limit 1)`
}

export type Counted = { matched: number, isCapped: boolean }

/** Counts the selected events, among the first MAX_COUNTED of the range. */
export async function countSelected (sql: RawSql, selection: Selection): Promise<Counted> {
  return await withFreshPlans(sql, async tx => await countPages(tx, selection))
}

async function countPages (sql: RawSql, { at, ...selection }: Selection): Promise<Counted> {
  let matched = 0
  let from = at
  for (let read = 0; read < MAX_COUNTED; read += MAX_READ) {
    const page = { ...selection, at: from }
    const [row] = await sql<{ matched: number, ms: number | null, seq: number | null }[]>`
      select m.matched, l.event_ms as ms, l.event_seq as seq
      from (select count(*)::int as matched from (${selectedEvents(sql, page)}) selected) m
      left join (${lastRead(sql, page)}) l on true`
    matched += row?.matched ?? 0
    if (!row || row.ms === null || row.seq === null) return { matched, isCapped: false }
    from = { ms: row.ms, seq: row.seq }
  }
  return { matched, isCapped: true }
}
