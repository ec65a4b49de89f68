import { and, desc, eq, getTableColumns, inArray, sql as raw } from 'drizzle-orm'
import { renderUserId, type Delivery, type DeliveryFilter, type DeliveryList } from '@tidings/contracts'
import { invalidInput, type RawSql } from '@tidings/service-kit'
import type { Database } from '../db/sql.ts'
import { allDeliveries, events, webhooks } from '../db/schema.ts'
import { selectionOf, type Owner } from './delivery-filter.ts'
import { toDelivery } from './delivery-row.ts'
import { scanDeliveries } from './scan-deliveries.ts'
import { eventHead } from './subject.ts'

const DEFAULT_LIMIT = 20

export type Clients = { sql: RawSql, db: Database }

type Query = DeliveryFilter & { limit?: number, cursor?: string }

/**
 * A page of the deliveries that a query selects, newest first. The cursor is an id, so that new rows shift no page.
 * @throws INVALID_INPUT
 */
export async function listDeliveries ({ sql, db }: Clients, owner: Owner, query: Query): Promise<DeliveryList> {
  const { limit = DEFAULT_LIMIT, cursor, ...filter } = query
  const page = await scanDeliveries(sql, selectionOf(owner, filter), { before: cursorOf(cursor), limit })
  return {
    deliveries: await showDeliveries(db, page.ids, { withUser: owner.userId === undefined }),
    pagination: {
      limit,
      next: page.next === null ? null : String(page.next),
      ...(page.isTruncated && { truncated: true as const })
    }
  }
}

/** The deliveries of these ids as their owners see them, the newest first. */
export async function showDeliveries (
  db: Database, ids: number[], { withUser = false } = {}
): Promise<Delivery[]> {
  if (ids.length === 0) return []
  // Laterally, and one: so that Postgres looks for each in its day, and reads no day as a whole.
  const event = db.select({ orderingKey: eventHead.orderingKey, start: eventHead.start.as('start') }).from(events)
    .where(and(eq(events.eventMs, allDeliveries.eventMs), eq(events.eventSeq, allDeliveries.eventSeq)))
    .limit(1)
    .as('event')
  const rows = await db
    .select({
      row: getTableColumns(allDeliveries),
      webhook: getTableColumns(webhooks),
      head: { orderingKey: event.orderingKey, start: event.start }
    })
    .from(allDeliveries)
    .innerJoin(webhooks, eq(webhooks.id, allDeliveries.webhookId))
    .leftJoinLateral(event, raw`true`)
    .where(inArray(allDeliveries.id, ids))
    .orderBy(desc(allDeliveries.id))
  return rows.map(({ row, webhook, head }) => ({
    ...toDelivery(row, webhook, head), ...(withUser && { userId: renderUserId(webhook.userId) })
  }))
}

function cursorOf (text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const id = Number(text)
  if (Number.isSafeInteger(id)) return id
  throw invalidInput([{ path: 'querystring.cursor', message: 'is not a cursor of a list' }])
}
