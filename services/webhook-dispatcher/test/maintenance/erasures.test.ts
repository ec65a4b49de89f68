import { randomUUID } from 'node:crypto'
import t from 'tap'
import { ERASURES_KEY, erasureStatusKey } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
import { erasePage } from '../../src/maintenance/erase-user.ts'
import { createErasures } from '../../src/maintenance/erasures.ts'
import { setup, startApp, type NewEvent } from '../setup.ts'

const TABLES = ['webhooks', 'secrets', 'deliveries', 'attempts', 'events', 'replay_requests'] as const
const completed = (
  jobId: string, userId: string, more: Partial<NewEvent> = {}
): NewEvent => ({ type: 'completed', jobId, userId, result: 1, ...more })

t.test('all data of a user, and no other, is erased and reported, and attempts in flight end', async t => {
  const stores = await setup(t, { LOG_LEVEL: 'silent' })
  const { append, createWebhook, sql, redis } = stores
  const counts = async () => Object.fromEntries(await Promise.all(TABLES.map(async table =>
    [table, (await sql`select from webhooks.${sql(table)}`).length])))
  let held: (() => void) | undefined
  const receiver = await startReceiver(t, async ({ url }) => {
    if (url === '/held') await new Promise<void>(resolve => { held = resolve })
    return url === '/down' ? 500 : 200
  })
  await createWebhook({ url: `${receiver.url}/kept`, userId: 'kept' })
  await append([completed('kept', 'kept', { webhookUrl: `${receiver.url}/kept-job` })])
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 2)
  const before = await counts()

  const ids = [
    await createWebhook({ url: `${receiver.url}/well`, userId: 'gone' }),
    await createWebhook({ url: `${receiver.url}/down`, userId: 'gone' }),
    await createWebhook({ url: `${receiver.url}/held`, userId: 'gone' })
  ]
  await sql`insert into webhooks.replay_requests (webhook_id, at_ms, at_seq, until_ms, until_seq, finished_at) values (${ids[0] as number}, 0, 0, 1, 0, now())`
  await append(
    Array.from(
      { length: 100 }, (_, i) => completed(`gone-${i}`, 'gone', i === 0 ? { webhookUrl: `${receiver.url}/job` } : {})
    )
  )
  await until(() => held !== undefined)
  await until(
    async () => (
      await sql`select from webhooks.deliveries where webhook_id = ${ids[0] as number} and state = 'delivered'`
    ).length === 100
  )
  const erasureId = randomUUID()
  await redis.client().hset(ERASURES_KEY, erasureId, 'gone')
  await until(async () => await redis.client().hexists(erasureStatusKey(erasureId), 'webhook-dispatcher') === 1)
  held?.()
  t.same(await counts(), before)

  t.comment('what a late event brings while jobs-api still cancels goes, too')
  await append([completed('late', 'gone', { webhookUrl: `${receiver.url}/job` })])
  await receiver.waitFor(requests => requests.some(({ json }) => (json as { id: string }).id === 'late'))
  await until(
    async () => (
      await sql`select from webhooks.webhooks where user_id = 'gone'`
    ).length === 0 && (await sql`select from webhooks.secrets where user_id = 'gone'`).length === 0
  )
  t.same(await counts(), before)
})

t.test('an erasure continues after a restart, and with several replicas', async t => {
  const stores = await setup(t, { LOG_LEVEL: 'silent' })
  const { sql, redis, app, createWebhook } = stores
  const id = await createWebhook({ url: 'http://127.0.0.1:9', userId: 'gone', status: 'paused' })
  await app.close()
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select ${id}, n, 0, 'completed', 'default:' || n, 'delivered', now() from generate_series(1, 5000) as n`
  const erasureId = randomUUID()
  await redis.client().hset(ERASURES_KEY, erasureId, 'gone')
  const one = await startApp(t, stores)
  const erase = createErasures({ sql: one.sql, redis: one.redis, log: one.log, quietMs: 0 })
  await Promise.all([erase(), erase()])
  await until(async () => await redis.client().hexists(erasureStatusKey(erasureId), 'webhook-dispatcher') === 1)
  t.equal((await sql`select from webhooks.deliveries`).length, 0)
})

t.test('no attempt is left of a delivery whose outcome is written while it is erased', async t => {
  const { app, sql, createWebhook } = await setup(t)
  const id = await createWebhook({ url: 'http://127.0.0.1:9', userId: 'gone', status: 'paused' })
  const [delivery] = await sql<{ id: number }[]>`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state)
    values (${id}, 1, 0, 'completed', 'default:1', 'pending') returning id`
  await sql`
    create function wait_for_test () returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return null; end'`
  await sql`
    create trigger waits before delete on webhooks.all_deliveries for each statement execute function wait_for_test()`
  const isWaiting = async (locktype: string) =>
    (await sql`select from pg_locks where locktype = ${locktype} and not granted`).length > 0

  const lock = await sql.reserve()
  await lock`select pg_advisory_lock(1)`
  const erased = erasePage(app.sql, 'gone')
  await until(async () => await isWaiting('advisory'))
  let isWritten = false
  const written = sql`
    with written as (update webhooks.deliveries set attempts = 1 where id = ${delivery?.id as number} returning id)
    insert into webhooks.attempts (delivery_id, n, started_at, total_ms) select id, 1, now(), 1 from written`
    .then(() => { isWritten = true })
  await until(async () => isWritten || await isWaiting('transactionid'))
  await lock`select pg_advisory_unlock(1)`
  lock.release()
  await Promise.all([erased, written])
  t.equal((await sql`select from webhooks.deliveries`).length, 0)
  t.equal((await sql`select from webhooks.attempts`).length, 0)
})
