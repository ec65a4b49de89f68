import t, { type Test } from 'tap'
import { createSql, DAY_MS } from '@tidings/service-kit'
import type { Sql } from '../../src/db/sql.ts'
import { firstDeliveryId } from '../../src/db/day-tables.ts'
import { claimDue } from '../../src/delivery/claim/claim-due.ts'
import { explain, rowsOf, type PlanNode } from '../delivery/explain.ts'
import { makeDays } from '../make-days.ts'
import { setup } from '../setup.ts'

const DAYS = 14
const EVENTS = 140_000
const DUE = 100
const now = Date.now()

const { app, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
await app.close() // the tables are all this needs; nobody writes while plans are looked at
const sql = createSql(url, { max: 1 })
t.teardown(() => sql.end({ timeout: 1 }))
await makeDays(sql, DAYS)
const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
await sql`
  insert into webhooks.events
  select ${now}::bigint - n % ${DAYS}::int * ${DAY_MS}::bigint - n, 0, '1', 'completed', 'default:' || n, '{}' from generate_series(1, ${EVENTS}::int) as n`
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
  select ${webhookId}, event_ms, 0, type, chain, 'pending' from webhooks.events where right(chain, 3) = '007' limit ${DUE}`
await sql`
  insert into webhooks.attempts (delivery_id, n, started_at, total_ms)
  select ${firstDeliveryId(now)}::bigint - n % ${DAYS}::int * ${firstDeliveryId(DAY_MS)}::bigint + n, 1, now(), 1 from generate_series(1, ${EVENTS}::int) as n`

const filled = new Set((await sql<{ name: string }[]>`
  select relname as name from pg_class where oid in (select tableoid from webhooks.events)`).map(({ name }) => name))

const claim = async (tx: Sql) => await claimDue(tx, {
  workerId: 1, maxRuns: DUE, capacities: new Map([[webhookId, DUE]]), after: 0, probeMs: 1000
})
const isOf = (name: string) => (node: PlanNode) =>
  node['Relation Name']?.startsWith(name) === true && node['Node Type'] !== 'ModifyTable'
const sumOf = (nodes: PlanNode[]) => nodes.reduce((sum, node) => sum + rowsOf(node), 0)

async function lookAtFew (t: Test): Promise<void> {
  const { nodes, generic } = await explain(url, claim)
  const seen = sumOf(nodes.filter(isOf('events')))
  t.ok(seen >= DUE && seen <= 2 * DUE, `a claim of ${DUE} reads ${seen} payloads`)
  const scans = generic.filter(isOf('events')).filter(node => filled.has(node['Relation Name'] ?? ''))
  t.ok(scans.length >= filled.size, 'in each day, with any values')
  t.ok(scans.every(node => node['Node Type'].startsWith('Index')), 'by index')

  const ids = [3, 4, 5].map(days => firstDeliveryId(now - days * DAY_MS) + days)
  const erased = await explain(url, async tx => await tx`
    with page as materialized (select unnest(${ids}::bigint[]) as id)
    delete from webhooks.attempts where delivery_id = any(array(select id from page))`)
  t.ok(sumOf(erased.nodes.filter(isOf('attempts'))) <= 2 * ids.length, 'attempts of a page are found by index')
  const shown = await explain(url, async tx => await tx`
    select * from webhooks.attempts where delivery_id = ${ids[0] as number} order by n`)
  const days = new Set(shown.nodes.filter(isOf('attempts')).map(node => node['Relation Name']))
  t.equal(days.size, 1, 'attempts of a delivery are in one day')
}

t.test('payloads and attempts are read by index in their day, though the tables were never analyzed', lookAtFew)

t.test('the same where Postgres knows the rows', async t => {
  await sql`vacuum analyze webhooks.events, webhooks.attempts, webhooks.deliveries`
  await lookAtFew(t)
})
