import { cp, readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { postgres } from '@tidings/service-kit'
import { startReceiver, temporaryFolder, until } from '@tidings/testing'
import { appender, jobOf, startApp, startStores, webhookCreator, type Stores } from '../setup.ts'

const MIGRATIONS = new URL('../../src/db/migrations/', import.meta.url)
/** The last migration of the release before the names changed. */
const BEFORE = 10

/** A database as the release before left it. */
async function setupBefore (t: Test): Promise<Stores> {
  const stores = await startStores(t)
  const folder = temporaryFolder(t)
  await cp(MIGRATIONS, folder, { recursive: true })
  const journal = `${folder}/meta/_journal.json`
  const { entries, ...rest } = JSON.parse(await readFile(journal, 'utf8')) as { entries: { idx: number }[] }
  await writeFile(journal, JSON.stringify({ ...rest, entries: entries.filter(({ idx }) => idx <= BEFORE) }))
  await migrate(t, stores.url, pathToFileURL(`${folder}/`))
  return stores
}

async function migrate (t: Test, url: string, migrations: URL): Promise<void> {
  const app = Fastify().register(postgres, { url, schema: 'webhooks', migrations })
  t.teardown(() => app.close())
  await app.ready()
}

t.test('pending deliveries and claims of the release before are delivered, in order', async t => {
  const stores = await setupBefore(t)
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
  const stores = await setupBefore(t)
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
  await sql`delete from webhooks.claimants where id = ${workerId}`
  await until(async () => (await sql`select from webhooks.workers`).length === 0)
})
