import createError from '@fastify/error'
import { DELIVERY_STATUSES, MAX_BULK_ITEMS, type StartDeliveryBulk } from '@tidings/contracts'
import { filterOrIds, invalidInput, numberArray, type BulkTx, type RawSql } from '@tidings/service-kit'
import { selectionOf, type DeliverySelection } from '../delivery-log/delivery-filter.ts'
import { scanDeliveries } from '../delivery-log/scan-deliveries.ts'

const PAGE = 4096
/** Of at most 16,384 rows each: some seconds of Postgres. */
const MAX_SCANS = 100

const FilterTooBroad = createError('FILTER_TOO_BROAD',
  'Too many deliveries have to be searched for those that match: name a webhook, a job, a status or a time', 422)

const FINISHED = DELIVERY_STATUSES.filter(status => status !== 'pending')

export type BulkSelection = { userId: string } & ({ filter: DeliverySelection } | { ids: number[] })

/**
 * The deliveries that a request is about: those of its filter, or of its ids, that are not pending.
 * @throws INVALID_INPUT without a filter or ids, with both, and for pending ones
 */
export function bulkSelectionOf (request: StartDeliveryBulk, userId: string): BulkSelection {
  const selecting = filterOrIds(request)
  if ('ids' in selecting) return { userId, ids: selecting.ids }
  const selection = selectionOf({ userId }, selecting.filter, 'body.filter')
  if (selection.statuses?.includes('pending')) {
    const message = `redeliver applies to these only: ${FINISHED.join(', ')}`
    throw invalidInput([{ path: 'body.filter.status', message }])
  }
  return { userId, filter: selection }
}

/** Counts the deliveries of a selection, up to one more than a bulk action may have. */
export async function countSelected (sql: RawSql, selection: BulkSelection): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int from (${selected(sql, selection, await idsOf(sql, selection))}) as selected`
  return row?.count ?? 0
}

/** Writes the deliveries of a selection as the items of a bulk action, oldest first. Returns how many they are. */
export async function insertSelected (tx: BulkTx, bulk: number, selection: BulkSelection): Promise<number> {
  const { count } = await tx`
    insert into webhooks.bulk_items (bulk, place, webhook_id, delivery, seen)
    select ${bulk}, row_number() over (order by id), webhook_id, id, state
    from (${selected(tx, selection, await idsOf(tx as unknown as RawSql, selection))}) as selected`
  return count
}

/** By primary key. */
function selected (sql: RawSql | BulkTx, { userId }: BulkSelection, ids: number[]) {
  return sql`
    select d.id, d.webhook_id, d.state from webhooks.all_deliveries d
    join webhooks.webhooks w on w.id = d.webhook_id and w.user_id = ${userId}
    where d.id = any(${numberArray(ids)}::bigint[]) and d.state <> 'pending'`
}

async function idsOf (sql: RawSql, selection: BulkSelection): Promise<number[]> {
  if ('ids' in selection) return [...new Set(selection.ids)]
  const ids: number[] = []
  let before: number | undefined
  for (let scans = 0; ids.length <= MAX_BULK_ITEMS; scans++) {
    if (scans === MAX_SCANS) throw new FilterTooBroad()
    const page = await scanDeliveries(sql, selection.filter, { before, limit: PAGE })
    ids.push(...page.ids)
    if (page.next === null) break
    before = page.next
  }
  return ids.slice(0, MAX_BULK_ITEMS + 1)
}
