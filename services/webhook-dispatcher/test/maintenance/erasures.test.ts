import { randomUUID } from 'node:crypto'
import t from 'tap'
import { ERASURES_KEY, erasureStatusKey } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
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
