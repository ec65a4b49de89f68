import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { createSql, DAY_MS, postgres } from '@tidings/service-kit'
import { migrationsBefore, startReceiver, until } from '@tidings/testing'
import { firstDeliveryId } from '../../src/db/day-tables.ts'
import { appender, jobOf, startApp, startStores, webhookCreator } from '../setup.ts'

const MIGRATIONS = new URL('../../src/db/migrations/', import.meta.url)
const now = Date.now()

/** A database as the release before the days left it. */
async function setupBefore (t: Test) {
  const stores = await startStores(t)
  const migrations = migrationsBefore(t, MIGRATIONS, '0016a_events_bound')
  const app = Fastify().register(postgres, { url: stores.url, schema: 'webhooks', migrations })
  await app.ready()
  await app.close()
  const sql = createSql(stores.url, { max: 2 })
  t.teardown(() => sql.end({ timeout: 5 }))
  return { stores, sql }
}

t.test('deliveries of the release before are delivered and listed with their attempts; no row is copied', async t => {
  const { stores, sql } = await setupBefore(t)
  const receiver = await startReceiver(t)
  const webhookId = await webhookCreator(stores.sql)({ url: receiver.url })
  await sql`insert into webhooks.events select ${now}::bigint - n, 0, '1', 'completed', 'default:' || n, json_build_object('n', n)::text from generate_series(1, 10) as n`
  const [delivered] = await sql<{ id: number }[]>`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    values (${webhookId}, ${now - 10}, 0, 'completed', 'default:10', 'delivered', now()) returning id`
  await sql`insert into webhooks.attempts (delivery_id, n, started_at, total_ms) values (${delivered?.id as number}, 1, now(), 1)`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    select ${webhookId}, ${now}::bigint - n, 0, 'completed', 'default:' || n, 'pending' from generate_series(1, 9) as n`
  const filesOf = async (suffix: string) => await sql`
    select pg_relation_filenode(${`webhooks.events${suffix}`}::regclass) as events, pg_relation_filenode(${`webhooks.attempts${suffix}`}::regclass) as attempts`
  const before = await filesOf('')

  await startApp(t, stores)
  t.same(await filesOf('_before'), before)
  await receiver.waitFor(9)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 10)
  t.equal((await sql`select from webhooks.attempts_before`).length, 10)

  await appender(stores.redis)(jobOf('new', 0))
  await receiver.waitFor(10)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 11)
  const [newest] = await sql<{ id: number, attempts: number }[]>`
    select id, (select count(*)::int from webhooks.attempts where delivery_id = id) as attempts from webhooks.deliveries order by id desc limit 1`
  t.ok(newest && newest.id >= firstDeliveryId(now) && newest.attempts === 1)
})

t.test('statements of the release before work beside the new release, on all days', async t => {
  const { stores, sql } = await setupBefore(t)
  const webhookId = await webhookCreator(stores.sql)({ url: 'http://127.0.0.1:9', status: 'paused' })
  await startApp(t, stores)
  for (const days of [0, 1, 5, 500]) {
    const ms = now + days * DAY_MS
    const insert = async () => await sql`
      with e as (
        insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body) values (${ms}, 0, '1', 'completed', 'default:1', '{}') on conflict do nothing
      ), d as (
        insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state) values (${webhookId}, ${ms}, 0, 'completed', 'default:1', 'pending')
        on conflict (webhook_id, event_ms, event_seq) where origin = 'event' do nothing returning id
      )
      insert into webhooks.attempts (delivery_id, n, started_at, total_ms) select id, 1, now(), 1 from d returning delivery_id`
    t.equal((await insert()).length, 1)
    t.equal((await insert()).length, 0)
  }
  t.equal((await sql`select from webhooks.events`).length, 4)
  const old = await sql`
    with old as materialized (select id from webhooks.deliveries order by id limit 2),
    a as (delete from webhooks.attempts where delivery_id in (select id from old) returning 1)
    select count(*)::int from a`
  t.same(old, [{ count: 2 }])
})
