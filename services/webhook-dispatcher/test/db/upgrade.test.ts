import { cp, readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { postgres } from '@tidings/service-kit'
import { startReceiver, temporaryFolder, until } from '@tidings/testing'
import { appender, jobOf, startApp, startStores, webhookCreator, type Stores } from '../setup.ts'

const MIGRATIONS = new URL('../../src/db/migrations/', import.meta.url)
/** The last migration of the release before the names changed, and of the one before filters. */
const BEFORE_NAMES = 10
const BEFORE_FILTERS = 12

/** A database as a release before left it. */
async function setupBefore (t: Test, last: number): Promise<Stores> {
  const stores = await startStores(t)
  const folder = temporaryFolder(t)
  await cp(MIGRATIONS, folder, { recursive: true })
  const journal = `${folder}/meta/_journal.json`
  const { entries, ...rest } = JSON.parse(await readFile(journal, 'utf8')) as { entries: { idx: number }[] }
  await writeFile(journal, JSON.stringify({ ...rest, entries: entries.filter(({ idx }) => idx <= last) }))
  await migrate(t, stores.url, pathToFileURL(`${folder}/`))
  return stores
}

async function migrate (t: Test, url: string, migrations: URL): Promise<void> {
  const app = Fastify().register(postgres, { url, schema: 'webhooks', migrations })
  t.teardown(() => app.close())
  await app.ready()
}

t.test('pending deliveries and claims of the release before are delivered, in order', async t => {
  const stores = await setupBefore(t, BEFORE_NAMES)
  const { sql } = stores
  const receiver = await startReceiver(t)
  const webhookId = await webhookCreator(sql)({ url: receiver.url })
  const [worker] = await sql<{ id: number }[]>`
    insert into webhooks.claimants (host, lease_until) values ('old', now() + interval '2 seconds') returning id`
  await sql`insert into webhooks.positions (shard, shards, event_ms, event_seq, claimant) values (0, 1, 3, 0, ${worker?.id as number})`
  await sql`insert into webhooks.events select n, 0, '1', 'progress', 'default:1', json_build_object('n', n)::text from generate_series(1, 3) as n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, claim)
    select ${webhookId}, n, 0, 'progress', 'default:1', 'pending', case when n = 1 then ${worker?.id as number}::bigint end
    from generate_series(1, 3) as n`

  await startApp(t, stores)
  t.same(
    (await sql`select from webhooks.deliveries where state = 'delivered'`).length,
    0,
    'the lease of the old worker holds'
  )
  const bodies = (await receiver.waitFor(3)).map(({ json }) => json)
  t.same(bodies, [{ n: 1 }, { n: 2 }, { n: 3 }])
  await appender(stores.redis)(jobOf('new', 0))
  t.match((await receiver.waitFor(4))[3]?.json, { id: 'new' }, 'the shard of the old worker is taken over')
})

t.test('statements of the release before work beside the new release', async t => {
  const stores = await setupBefore(t, BEFORE_NAMES)
  const { sql } = stores
  const webhookId = await webhookCreator(sql)({ url: 'http://127.0.0.1:9' })
  const [replay] = await sql<{ id: number }[]>`
    insert into webhooks.replays (webhook_id, at_ms, at_seq, until_ms, until_seq, told) values (${webhookId}, 0, 0, 9, 0, 3) returning id`
  const id = replay?.id as number
  await migrate(t, stores.url, MIGRATIONS)

  const [worker] = await sql<{ id: number }[]>`
    with registered as (
      insert into webhooks.claimants (host, lease_until, guarded) values ('old', now() + interval '1 minute', true) returning id
    )
    select id from registered`
  const workerId = worker?.id as number
  await sql`update webhooks.claimants set lease_until = now() + interval '2 minutes' where id = ${workerId} and lease_until > now()`
  t.match(
    await sql`select has_lock, lease_until > now() + interval '1 minute' as renewed from webhooks.workers`,
    [{ has_lock: true, renewed: true }]
  )

  await sql.begin(async tx => {
    await tx`lock table webhooks.positions in exclusive mode`
    await tx`insert into webhooks.positions (shard, shards, event_ms, event_seq) select n, 1, 0, 0 from generate_series(0, 0) as n`
  })
  await sql`update webhooks.positions set claimant = ${workerId} where shard = 0 and shards = 1 and claimant is null`
  const moved = await sql`
    with moved as (update webhooks.positions set event_ms = 7 where shard = 0 and claimant = ${workerId} and event_ms = 0 returning shard)
    select shard from moved`
  t.equal(moved.length, 1)
  const [position] = await sql`select shard_count, event_ms::int, worker_id from webhooks.shard_positions`
  t.match(position, { shard_count: 1, event_ms: 7, worker_id: String(workerId) })

  const deliveries = async () => (await sql`select told, deliveries from webhooks.replays where id = ${id}`)[0]
  t.match(await deliveries(), { told: 3, deliveries: 3 })
  await sql`update webhooks.replays set told = told + 2 where id = ${id}`
  t.match(await deliveries(), { told: 5, deliveries: 5 })
  await sql`update webhooks.replays set deliveries = deliveries + 1 where id = ${id}`
  t.match(await deliveries(), { told: 6, deliveries: 6 }, 'the release before sees what the new one adds')
  t.match(await sql`select reads_parts from webhooks.workers where id = ${workerId}`, [{ reads_parts: false }], 'no day is closed beside it')
  await sql`delete from webhooks.claimants where id = ${workerId}`
  await until(async () => (await sql`select from webhooks.workers`).length === 0)
})

t.test('a webhook and its pending deliveries of the release before filters are as they were', async t => {
  const stores = await setupBefore(t, BEFORE_FILTERS)
  const { sql } = stores
  const receiver = await startReceiver(t)
  const [id] = [await webhookCreator(sql)({ url: receiver.url, eventType: 'completed' })]
  await sql`insert into webhooks.events values (1, 0, '1', 'completed', 'default:1', '{"n":1}')`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    values (${id}, 1, 0, 'completed', 'default:1', 'pending')`
  await sql`insert into webhooks.replays (webhook_id, at_ms, at_seq, until_ms, until_seq) values (${id}, 0, 0, 1, 0)`
  await startApp(t, stores)
  t.same((await receiver.waitFor(2)).map(({ json }) => json), [{ n: 1 }, { n: 1 }], 'the delivery and the replay')
  await appender(stores.redis)(jobOf('new', 2))
  t.match((await receiver.waitFor(3))[2]?.json, { id: 'new', eventType: 'completed' })
})

t.test('statements of the release before filters work beside the new release', async t => {
  const stores = await setupBefore(t, BEFORE_FILTERS)
  const { sql } = stores
  const webhookId = await webhookCreator(sql)({ url: 'http://127.0.0.1:9', eventType: 'completed' })
  await migrate(t, stores.url, MIGRATIONS)

  await sql`update webhooks.webhooks set event_types = array['completed', 'failed'], event_type = 'all' where id = ${webhookId}`
  const [target] = await sql`select * from webhooks.targets where id = ${webhookId}`
  t.match(target, { event_type: 'all' }, 'a dispatcher of before sends rather more than selected')
  await t.rejects(sql`update webhooks.webhooks set event_types = array['added'] where id = ${webhookId}`)

  const [plain] = await sql<{ id: number }[]>`
    insert into "webhooks"."replays" ("id", "webhook_id", "at_ms", "at_seq", "until_ms", "until_seq", "deliveries", "created_at", "finished_at")
    values (default, ${webhookId}, 0, 0, 9, 0, default, default, default)
    returning "id", "webhook_id", "at_ms", "at_seq", "until_ms", "until_seq", "deliveries", "created_at", "finished_at"`
  await sql`
    insert into webhooks.replay_requests (webhook_id, at_ms, at_seq, until_ms, until_seq, conditions)
    values (${webhookId}, 0, 0, 9, 0, '{"since":"0-0","until":"9-0"}'),
      (${webhookId}, 0, 0, 9, 0, '{"since":"0-0","status":"failed"}'), (${webhookId}, 0, 0, 9, 0, '{"since":"0-0","eventTypes":["failed"]}')`
  const open = await sql.begin(async tx => await tx<{ id: number }[]>`
    select id, webhook_id, at_ms, at_seq, until_ms, until_seq from webhooks.replays r
    where finished_at is null and 500 > (
      select count(*) from (
        select from webhooks.deliveries d where d.origin = 'replay' and d.origin_id = r.id and d.finished_at is null
        limit 500) waiting)
    order by id limit 20 for update skip locked`)
  t.equal(open.length, 2, 'those without conditions that it does not know')
  const [moved] = await sql`
    with page as materialized (select 1)
    update webhooks.replays r set
      at_ms = 7, deliveries = r.deliveries + (select count(*) from page), finished_at = now()
    where r.id = ${plain?.id as number} returning (select count(*) from page)::int as added`
  t.match(moved, { added: 1 })
  t.match(
    await sql`select at_ms::int, told, deliveries from webhooks.replay_requests where id = ${plain?.id as number}`,
    [{ at_ms: 7, told: 1, deliveries: 1 }]
  )
  t.equal((await sql`delete from webhooks.replays where finished_at < now() - 0 * interval '1 ms'`).count, 1)
})
