import t, { type Test } from 'tap'
import { createSql, DAY_MS, type BulkTx, type RawSql } from '@tidings/service-kit'
import { endRecovery, insertRedeliveries, nextItems } from '../../src/bulk/redeliver-page.ts'
import { countSelected } from '../../src/bulk/select-deliveries.ts'
import { closedParts } from '../../src/db/delivery-parts.ts'
import type { Sql } from '../../src/db/sql.ts'
import { closeDay } from '../../src/maintenance/close-day.ts'
import { explain, isOnDeliveries, rowsOf, type PlanNode } from '../delivery/explain.ts'
import { setup } from '../setup.ts'

const WEBHOOKS = 20
const KEPT = 60_000
const ITEMS = 2000
const PAGE = 500
/** Deliveries that are named by their ids. */
const NAMED = 50
/** Of one of the webhooks, which is down. */
const WAITING = 5000
const BULK = 1

const { app, sql, url } = await setup(t, { LOG_LEVEL: 'silent' })
await app.close() // the tables are all this needs; nobody writes while plans are looked at
const own = createSql(url, { max: 1 })
t.teardown(() => own.end({ timeout: 1 }))
await sql`insert into webhooks.webhooks (user_id, url, event_type, since_ms, since_seq) select '1', 'http://127.0.0.1:9', 'all', 0, 0 from generate_series(1, ${WEBHOOKS}::int)`
for (const day of [1, 2, 3]) {
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at, lost_at)
    select n % ${WEBHOOKS}::int + 1, ${day}, n, 'completed', 'default:' || n, case when n % 20 = 0 then 'failed' else 'delivered' end, now(), case when n % 20 = 0 then now() end
    from generate_series(1, ${KEPT / 3}::int) as n`
  await closeDay(own, Date.now() + day * DAY_MS)
}
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
  select 1, 4, n, 'completed', 'default:' || n, 'pending' from generate_series(1, ${WAITING}::int) as n`
await sql`insert into webhooks.bulks (id, user_id, action) values (gen_random_uuid(), '1', 'redeliver')`
await sql`
  insert into webhooks.bulk_items (bulk, place, webhook_id, delivery, seen)
  select ${BULK}, row_number() over (order by id), webhook_id, id, 'failed' from (select id, webhook_id from webhooks.all_deliveries where state = 'failed' order by id limit ${ITEMS}) failed`
const ids = (await sql<{ delivery: string }[]>`select delivery from webhooks.bulk_items order by place limit ${NAMED}`).map(({ delivery }) => Number(delivery))

const statements: [what: string, most: number, run: (tx: Sql) => Promise<unknown>][] = [
  ['selected deliveries', NAMED, async tx => await countSelected(tx as RawSql, { userId: '1', ids })],
  ['the next items, beside what waits', 2 * PAGE, async tx => await nextItems(tx as unknown as BulkTx, BULK)],
  ['redeliveries', 2 * NAMED, async tx => await insertRedeliveries(tx as unknown as BulkTx, BULK, ids)],
  ['the end of recoveries', 3 * NAMED, async tx => await endRecovery(tx as unknown as BulkTx, ids)]
]

const isRead = (node: PlanNode) => isOnDeliveries(node) && node['Node Type'] !== 'ModifyTable'

async function lookAtFew (t: Test): Promise<void> {
  for (const [what, most, run] of statements) {
    const { nodes, generic } = await explain(url, run)
    const seen = nodes.filter(isRead).reduce((sum, node) => sum + rowsOf(node), 0)
    t.ok(seen > 0 && seen <= 2 * most, `${what}: ${seen} rows`)
    const scans = generic.filter(node => isRead(node) && node['Node Type'] === 'Seq Scan')
    t.same(scans.map(node => node['Relation Name']), [], `${what}: by index`)
  }
}

t.test('statements of bulk redeliveries read few rows of tables that were never analyzed', async t => {
  t.equal((await closedParts(own)).length, 3)
  await lookAtFew(t)
})

t.test('the same where Postgres knows the rows', async t => {
  await sql`analyze`
  await lookAtFew(t)
})
