import t, { type Test } from 'tap'
import type { DeliveryFilter } from '@tidings/contracts'
import { createSql, DAY_MS } from '@tidings/service-kit'
import { selectionOf, type DeliverySelection, type Owner } from '../../src/delivery-log/delivery-filter.ts'
import { idAt } from '../../src/delivery-log/id-at.ts'
import { scanDeliveries } from '../../src/delivery-log/scan-deliveries.ts'
import { closeDay } from '../../src/maintenance/close-day.ts'
import { explain, isOnDeliveries, rowsOf, type Explained } from '../delivery/explain.ts'
import { setup } from '../setup.ts'

const BUSY = 100_000
const LIMIT = 20
/** Rows of a part that are read first. */
const FIRST = 32
/** Rows of all parts that are read at most. */
const MOST = 8192

const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
await app.close() // the tables are all this needs; nobody writes while plans are looked at
const client = createSql(url, { max: 1 })
t.teardown(() => client.end({ timeout: 1 }))
await sql`alter table webhooks.deliveries set (autovacuum_enabled = false)`

// One user's webhook has nearly all deliveries, of jobs with ten progress events each; another's has few, long ago.
const quiet = await createWebhook({ url: 'http://127.0.0.1:9/quiet', userId: 'quiet' })
const busy = await createWebhook({ url: 'http://127.0.0.1:9/busy', userId: 'busy' })
const second = await createWebhook({ url: 'http://127.0.0.1:9/second', userId: 'busy' })
await insert(quiet, 40, 0)
await insert(busy, BUSY, 1000)
await insert(second, 500, 100_000)
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, origin_id, type, state, finished_at)
  select webhook_id, event_ms, event_seq, 'redeliver', id, type, 'delivered', now() from webhooks.deliveries
  where id % 1000 = 0`
const BULK_ID = 'deliveries-0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'
await sql`insert into webhooks.bulks (id, user_id, action) values (${BULK_ID.replace('deliveries-', '')}::uuid, 'busy', 'redeliver')`
await sql`
  insert into webhooks.bulk_pages (bulk, first, last, deliveries)
  select 1, min(id), max(id), array_agg(id) from webhooks.deliveries where webhook_id = ${busy} and id % 3 = 0 group by id / 3000`

/** A delivery per second, the last one just now. */
async function insert (webhookId: number, count: number, firstMs: number): Promise<void> {
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at, created_at)
    select ${webhookId}, ${firstMs} + n, 0, case when n % 11 = 0 then 'completed' else 'progress' end,
      'default:' || ${webhookId}::int || '-' || lpad((n / 11)::text, 8, '0'),
      case when n % 29 = 0 then 'failed' when n % 31 = 0 then 'superseded' else 'delivered' end, now(),
      now() - (${count}::int - n) * interval '1 second' - (case when ${webhookId} = ${quiet} then 1 else 0 end) * interval '2 days'
    from generate_series(1, ${count}::int) n`
}

const USER: Owner = { userId: 'busy' }
const ANYONE: Owner = { userId: undefined }
const anHourAgo = new Date(Date.now() - 3_600_000).toISOString()

type Case = { owner: Owner, filter: DeliveryFilter, most: number }

/** `most`: rows of deliveries that the scan may meet, each of them in a few nodes of the plan. */
const cases: Case[] = [
  ...[USER, ANYONE, { userId: 'quiet' }].flatMap((owner): Case[] => [
    { owner, filter: {}, most: 2 * FIRST },
    { owner, filter: { from: anHourAgo }, most: 2 * FIRST },
    { owner, filter: { to: anHourAgo }, most: 2 * FIRST },
    { owner, filter: { status: 'failed' }, most: 2 * FIRST },
    { owner, filter: { status: 'failed,closed,superseded' }, most: 6 * FIRST },
    { owner, filter: { status: 'failed', eventType: 'failed' }, most: MOST },
    { owner, filter: { status: 'pending' }, most: 2 * FIRST },
    { owner, filter: { status: 'pending', to: anHourAgo }, most: 2 * FIRST },
    { owner, filter: { eventType: 'failed' }, most: MOST },
    { owner, filter: { status: 'delivered', queue: 'other' }, most: MOST },
    { owner, filter: { origin: 'replay' }, most: MOST },
    { owner, filter: { jobId: `${busy}-00000100` }, most: 3 * FIRST },
    { owner, filter: { eventId: '11100-0' }, most: FIRST },
    { owner, filter: { originId: 1000 }, most: FIRST },
    { owner, filter: { bulkId: BULK_ID }, most: 2 * FIRST },
    { owner, filter: { bulkId: BULK_ID, status: 'closed' }, most: MOST }
  ]),
  { owner: USER, filter: { webhookId: second }, most: 2 * FIRST },
  { owner: { userId: 'quiet' }, filter: { webhookId: quiet, eventType: 'completed' }, most: 40 },
  { owner: ANYONE, filter: { webhookId: quiet, status: 'failed' }, most: FIRST }
]

/** Explains the last statement of a scan: the one with the largest bound. */
async function explainScan (selection: DeliverySelection, before?: number): Promise<Explained> {
  const place = { before, limit: LIMIT }
  return await explain(url, async tx => await scanDeliveries(tx as typeof client, selection, place))
}

async function checkCases (t: Test): Promise<void> {
  for (const { owner, filter, most } of cases) {
    const what = JSON.stringify({ ...owner, ...filter })
    const selection = selectionOf(owner, filter)
    const explained = await explainScan(selection)
    checkPlan(t, explained, what)
    const seen = Math.max(...explained.nodes.filter(isOnDeliveries).map(rowsOf), 0)
    t.ok(seen <= most, `${what}: ${seen} rows in one node, at most ${most}`)
  }
}

function checkPlan (t: Test, { nodes, generic }: Explained, what: string): void {
  for (const plan of [nodes, generic]) {
    const read = plan.filter(isOnDeliveries).map(node => node['Node Type'])
    t.notOk(read.includes('Seq Scan'), `${what}: ${read.join(', ')}`)
  }
}

await sql`insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body) values (11100, 0, 'busy', 'progress', 'default:1', '{}')`
await sql`analyze`

t.test('whatever is selected, few rows are read', checkCases)

t.test('a page far down a list costs no more than the first', async t => {
  const [row] = await sql<{ id: number }[]>`select id::float8 from webhooks.deliveries where webhook_id = ${busy} order by id offset 100 limit 1`
  for (const filter of [{}, { status: 'failed' }, { status: 'failed,superseded' }]) {
    const selection = selectionOf(USER, filter)
    const { nodes } = await explainScan(selection, row?.id)
    const seen = nodes.filter(isOnDeliveries).map(rowsOf)
    t.ok(Math.max(...seen) <= 2 * FIRST, `${JSON.stringify(filter)}: ${seen.join(', ')}`)
  }
})

t.test('where many are pending, the newest of them are found among all', async t => {
  await sql.begin(async tx => {
    await tx`
      insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
      select ${second}, 900000 + n, 0, 'progress', 'default:p' || n, 'pending' from generate_series(1, 20000) n`
  })
  const selection = selectionOf(USER, { status: 'pending' })
  const explained = await explainScan(selection)
  checkPlan(t, explained, 'pending')
  const seen = Math.max(...explained.nodes.filter(isOnDeliveries).map(rowsOf))
  t.ok(seen <= 2 * FIRST, `${seen} rows`)
  const newest = await sql<{ id: number }[]>`select id::float8 from webhooks.deliveries order by id desc limit ${LIMIT}`
  const { ids } = await scanDeliveries(client, selection, { limit: LIMIT })
  t.same(ids, newest.map(({ id }) => id))
})

t.test('the first id of a time is found by the primary key', async t => {
  const ms = Date.now() - 3_600_000
  const explained = await explain(url, async tx => await idAt(tx, ms))
  checkPlan(t, explained, 'idAt')
  t.ok(explained.buffers < 1000, `${explained.buffers} pages`)
  const [first] = await sql<{ created: Date }[]>`
    select created_at as created from webhooks.deliveries where id >= ${await idAt(client, ms)} and webhook_id = ${busy} order by id limit 1`
  t.ok(Math.abs(Number(first?.created) - ms) < 60_000, String(first?.created))
  const [oldest] = await sql<{ id: number }[]>`select min(id)::float8 as id from webhooks.deliveries`
  t.equal(await idAt(client, 0), oldest?.id)
})

t.test('whatever is selected, few rows of each part are read once the deliveries are in several', async t => {
  await sql`update webhooks.deliveries set state = 'closed', finished_at = now() where state = 'pending'`
  for (const day of [1, 2, 3]) {
    t.equal(await closeDay(client, Date.now() + day * DAY_MS), 'closed')
    await insert(second, 1000, 2_000_000 * day)
  }
  await sql`analyze`
  await checkCases(t)
})
