import t from 'tap'
import { createSql } from '@tidings/service-kit'
import { holding, type TestContext, until, waitForBlocked } from '@tidings/testing'
import { claimDue } from '../../../src/delivery/claim/claim-due.ts'
import type { Sql } from '../../../src/db/sql.ts'
import { setup } from '../../setup.ts'
import { explain, isOnDeliveries, rowsOf, type PlanNode } from '../explain.ts'

const MAX_RUNS = 500
const HEALTHY = 50
const BY_INDEX = ['Index Only Scan', 'Index Scan', 'ModifyTable']

type Stores = Awaited<ReturnType<typeof setup>>

t.setTimeout(600_000)

t.test('a dead endpoint with a million due rows costs the others nothing', async t => {
  const { look, createDead, addDue, sql, claimOnce } = await setupHealthy(t)
  const without = await look()
  const dead = await createDead()
  await addDue([dead], 1_000_000)
  const stale = await look()
  await sql`analyze webhooks.deliveries, webhooks.webhooks` // which lets a scan of so few webhooks seem best
  const beside = await look()
  for (const { nodes, generic } of [without, stale, beside]) {
    t.same(waysOf([...nodes, ...generic]), BY_INDEX, 'by index alone')
    t.same(nodes.filter(node => rowsOf(node) > MAX_RUNS), [], 'no step sees more rows than are claimed')
  }
  for (const { buffers } of [stale, beside]) t.ok(buffers / without.buffers <= 1.5, `${without.buffers} buffers without, ${buffers} beside them`)
  t.comment(`${without.buffers} buffers without, ${beside.buffers} beside a million rows`)

  const tasks = await claimOnce()
  t.equal(new Set(tasks.map(({ target }) => target.id)).size, HEALTHY + 1)
  t.equal(tasks.filter(({ target }) => target.id === dead).length, 2, 'an endpoint that nobody knows yet gives two')
})

t.test('a job with very many due rows costs the others nothing, and hides no other job of its endpoint', async t => {
  const { look, createDead, addDue, sql, claimOnce } = await setupHealthy(t)
  const without = await look()
  const dead = await createDead()
  await addDue([dead], 100_000, 'default:long')
  await sql`analyze webhooks.deliveries, webhooks.webhooks`
  const beside = await look()
  t.same(waysOf([...beside.nodes, ...beside.generic]), BY_INDEX, 'by index alone')
  t.ok(beside.buffers / without.buffers <= 2, `${without.buffers} buffers without, ${beside.buffers} beside them`)
  t.comment(`${without.buffers} buffers without, ${beside.buffers} beside 100,000 rows of one chain`)

  const ofDead = async () => (await claimOnce()).filter(({ target }) => target.id === dead).map(
    ({ orderingKey, eventId }) => `${orderingKey} ${eventId.ms}`
  )
  t.same(await ofDead(), Array.from({ length: 20 }, (_, i) => `default:long ${i + 1}`), 'the oldest with the next ones')
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${dead}, 200000 + n, 0, 'completed', 'default:other ' || n, 'pending' from generate_series(1, 3) as n`
  t.same(
    await ofDead(),
    ['default:other 1 200001', 'default:other 2 200002'],
    'while they are held, what is not of their chain'
  )
  t.same(await ofDead(), ['default:other 3 200003'])
})

t.test('a claim takes the oldest delivery of an ordering key and its successors; no other claim gets them', async t => {
  const { app, sql, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop()
  const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
  await sql`
    insert into webhooks.events select n, 0, '1', 'progress', 'default:1', '{}' from generate_series(1, 30) as n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${webhookId}, n, 0, 'progress', 'default:1', 'pending' from generate_series(1, 30) as n order by n desc`
  const first = await claimOnce(app.sql)
  t.same(first.tasks.map(({ eventId }) => eventId.ms), Array.from({ length: 20 }, (_, i) => i + 1))
  t.same((await claimOnce(app.sql)).tasks, [], 'the rest waits behind them')

  await sql`delete from webhooks.workers`
  t.equal((await claimOnce(app.sql)).tasks.length, 20, 'what a dead replica held is free')
})

t.test('a claim ends before a delivery that another worker holds, so that no later one overtakes it', async t => {
  const { app, sql, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop()
  await addDue(sql, [await createWebhook({ url: 'http://127.0.0.1:9' })], 5, 'default:1')
  const [holder] = await sql<{ id: number }[]>`insert into webhooks.workers (host, lease_until) values ('holder', now() + interval '1 hour') returning id`
  await sql`update webhooks.deliveries set claim = ${holder?.id as number} where event_ms = 3`
  t.same((await claimOnce(app.sql)).tasks.map(({ eventId }) => eventId.ms), [1, 2])
  t.same((await claimOnce(app.sql)).tasks, [])
  await sql`update webhooks.deliveries set state = 'delivered', finished_at = now(), claim = null where event_ms <= 3`
  t.same((await claimOnce(app.sql)).tasks.map(({ eventId }) => eventId.ms), [4, 5])
})

t.test('a claim takes as many runs as there is room for, also while others hold the longest due ones', async t => {
  const { app, sql, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop()
  const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
  // Jobs of five deliveries each: the hundred rows that a claim looks at first are those of twenty jobs.
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${webhookId}, 5 * job + n, 0, 'progress', 'default:' || job, 'pending'
    from generate_series(100, 155) as job, generate_series(1, 5) as n order by job, n`
  const capacities = new Map([[webhookId, 8]]) // the third claim meets four of those jobs
  for (const round of [1, 2, 3, 4, 5, 6, 7]) {
    const { tasks } = await claimOnce(app.sql, { capacities })
    t.equal(new Set(tasks.map(({ orderingKey }) => orderingKey)).size, 8, `runs of claim ${round}`)
    t.equal(tasks.length, 40)
  }
  t.same((await claimOnce(app.sql, { capacities })).tasks, [])
})

t.test('an endpoint with an open circuit gets one probe, from one replica only', async t => {
  const { app, sql, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop()
  const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
  await addDue(sql, [webhookId], 5)
  const left = async (what: string) => await sql.unsafe(
    `update webhooks.webhooks set failures = 30, open_until = ${what}`
  )
  await left("now() + interval '1 minute'")
  t.same((await claimOnce(app.sql)).tasks, [], 'its breaker is open')
  await left("now() - interval '1 ms'")
  t.equal((await claimOnce(app.sql, { probeMs: 60_000 })).tasks.length, 1)
  t.same((await claimOnce(app.sql)).tasks, [], 'the probe is under way')
  await left("now() - interval '1 ms'")
  t.equal((await claimOnce(app.sql)).tasks.length, 1, 'it took too long')
})

t.test('a pause that is recorded at the moment of a claim is not shortened by its probe', async t => {
  const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop()
  const own = createSql(url, { max: 2 })
  t.teardown(() => own.end({ timeout: 1 }))
  const webhookId = await createWebhook({ url: 'http://127.0.0.1:9' })
  await addDue(sql, [webhookId], 1)
  await sql`update webhooks.webhooks set failures = 30, open_until = now() - interval '1 ms'`
  const commit = await holding(
    t, own, async tx => await tx`update webhooks.webhooks set open_until = now() + interval '1 hour'`
  )
  const claimed = claimOnce(app.sql, { probeMs: 1000 })
  await waitForBlocked(own, 1)
  await commit()
  t.equal((await claimed).tasks.length, 1)
  t.equal((await sql`select from webhooks.webhooks where open_until > now() + interval '50 minutes'`).length, 1)
})

t.test('probed webhooks are locked in the order of their ids, as by the writers of their health', async t => {
  const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop()
  // With many endpoints the planner joins them as they stand in the table.
  const hashing = createSql(url, { max: 1, connection: { enable_nestloop: 'off' } })
  t.teardown(() => hashing.end({ timeout: 1 }))
  const ids: number[] = []
  for (let i = 0; i < 20; i++) ids.push(await createWebhook({ url: 'http://127.0.0.1:9' }))
  await addDue(sql, ids, 1)
  // In another order than that of their ids they stand in the table.
  for (const id of ids.toReversed()) await sql`update webhooks.webhooks set failures = 30, open_until = now() where id = ${id}`
  await sql.unsafe('vacuum full webhooks.webhooks')
  let claiming: Promise<{ tasks: unknown[] }> | undefined
  await app.sql.begin(async tx => {
    await tx`select from webhooks.webhooks where id = ${ids[0] as number} for update`
    claiming = claimOnce(hashing)
    await until(async () => (
      await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    ).length === 1, { what: 'the claim to wait' })
    t.equal(
      (await sql`select id from webhooks.webhooks where id <> ${ids[0] as number} for update skip locked`).length,
      ids.length - 1,
      'it holds none of the others'
    )
  })
  t.equal((await claiming)?.tasks.length, ids.length)
})

/** Fifty endpoints with two hundred due rows each, beside which claims are looked at. */
async function setupHealthy (t: TestContext) {
  const { app, sql, url, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop() // claims are made by hand here
  // An analyze in the middle would change a plan that is compared with an earlier one: only the test's own may.
  for (const table of ['deliveries', 'webhooks', 'secrets', 'workers']) await sql`alter table webhooks.${sql(table)} set (autovacuum_enabled = false)`
  const createDead = async () => await createWebhook({ url: 'http://127.0.0.1:9' })
  const healthy: number[] = []
  for (let i = 0; i < HEALTHY; i++) healthy.push(await createDead())
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select ${healthy[0] ?? 0}, -n, 0, 'completed', 'default:' || n, 'delivered', now() from generate_series(1, 20000) as n`
  await sql`analyze webhooks.deliveries` // as far as the planner knows nothing is pending
  await addDue(sql, healthy, 200)
  return {
    sql,
    createDead,
    addDue: async (webhookIds: number[], count: number, chain?: string) => await addDue(sql, webhookIds, count, chain),
    claimOnce: async () => (await claimOnce(app.sql)).tasks,
    look: async () => await explain(url, async tx => await claimOnce(tx))
  }
}

async function claimOnce (sql: Sql, { probeMs = 1000, capacities = new Map<number, number>() } = {}) {
  const [row] = await sql<{ id: number }[]>`insert into webhooks.workers (host, lease_until) values ('test', now() + interval '1 hour') returning id`
  return await claimDue(sql, { workerId: row?.id ?? 0, maxRuns: MAX_RUNS, capacities, after: 0, probeMs })
}

/** Each of a chain of its own, or all of one. */
async function addDue (
  sql: Stores['sql'], webhookIds: number[], count: number, chain: string | null = null
): Promise<void> {
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, due_at)
    select id, n, 0, 'completed', coalesce(${chain}, 'default:' || n), 'pending', now() - interval '1 minute'
    from unnest(${webhookIds}::int[]) as id, generate_series(1, ${count}::int) as n`
}

/** How deliveries are come by. */
function waysOf (nodes: PlanNode[]): string[] {
  return [...new Set(nodes.filter(isOnDeliveries).map(node => node['Node Type']))].toSorted()
}
