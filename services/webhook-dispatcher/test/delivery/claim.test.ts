import t from 'tap'
import { claim } from '../../src/delivery/claim.ts'
import type { Sql } from '../../src/db/sql.ts'
import { setup } from '../setup.ts'

const DEAD_ROWS = 100_000
const HEALTHY = 50

type Stores = Awaited<ReturnType<typeof setup>>

t.test('a dead endpoint with very many due rows costs the others nothing', async t => {
  const { app, sql, createWebhook } = await setup(t, { LOG_LEVEL: 'silent' })
  await app.delivery.stop() // claims are made by hand here
  const dead = await createWebhook({ url: 'http://127.0.0.1:9' })
  const healthy: number[] = []
  for (let i = 0; i < HEALTHY; i++) healthy.push(await createWebhook({ url: 'http://127.0.0.1:9' }))
  await addDue(sql, healthy, 200)
  await sql`analyze webhooks.deliveries`
  const without = await bestOf(30, () => claimTime(app.sql))

  await sql`alter table webhooks.deliveries set (autovacuum_enabled = false)`
  await addDue(sql, [dead], DEAD_ROWS)
  await sql`analyze webhooks.deliveries`
  const beside = await bestOf(30, () => claimTime(app.sql))
  t.ok(beside / without < 3, `${without.toFixed(1)} ms without, ${beside.toFixed(1)} ms beside them`)
  t.comment(`${without.toFixed(1)} ms without, ${beside.toFixed(1)} ms beside ${DEAD_ROWS} rows`)

  const { tasks } = await claimOnce(app.sql)
  t.equal(new Set(tasks.map(({ target }) => target.id)).size, HEALTHY + 1)
  t.equal(tasks.filter(({ target }) => target.id === dead).length, 2, 'an endpoint that nobody knows yet gives two')
})

t.test('a claim brings the oldest of a chain with its followers, in order, and nobody else gets them', async t => {
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

  await sql`delete from webhooks.claimants`
  t.equal((await claimOnce(app.sql)).tasks.length, 20, 'what a dead replica held is free')
})

/** One claim of all endpoints, undone. */
async function claimTime (sql: Sql): Promise<number> {
  const started = performance.now()
  const { tasks } = await claimOnce(sql)
  const took = performance.now() - started
  if (tasks.length < HEALTHY) throw new Error(`claimed ${tasks.length}`)
  await sql`delete from webhooks.claimants`
  return took
}

async function claimOnce (sql: Sql) {
  const [row] = await sql<{ id: number }[]>`insert into webhooks.claimants (host, lease_until) values ('test', now() + interval '1 minute') returning id`
  return await claim(sql, { claim: row?.id ?? 0, slots: 500, rooms: new Map(), after: 0, probeMs: 1000 })
}

async function addDue (sql: Stores['sql'], webhookIds: number[], count: number): Promise<void> {
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, due_at)
    select id, n, 0, 'completed', 'default:' || n, 'pending', now() - interval '1 minute'
    from unnest(${webhookIds}::int[]) as id, generate_series(1, ${count}::int) as n`
}

async function bestOf (times: number, measure: () => Promise<number>): Promise<number> {
  let best = Infinity
  for (let i = 0; i < times; i++) best = Math.min(best, await measure())
  return best
}
