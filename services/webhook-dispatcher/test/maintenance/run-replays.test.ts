import t from 'tap'
import { fileURLToPath } from 'node:url'
import { freePort, spawnService, startReceiver, until } from '@tidings/testing'
import { setup, startApp, startStores, webhookCreator } from '../setup.ts'

const EVENTS = 3000

async function storeEvents (sql: Awaited<ReturnType<typeof setup>>['sql'], count: number): Promise<void> {
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    select ${Date.now() - 60_000}::bigint + n, 0, '1', case when n % 2 = 0 then 'completed' else 'progress' end, 'default:' || n, '{"n":' || n || '}'
    from generate_series(1, ${count}::int) as n`
}

const requestReplay = async (sql: Awaited<ReturnType<typeof setup>>['sql'], webhookId: number) => {
  await sql`insert into webhooks.replay_requests (webhook_id, at_ms, at_seq, until_ms, until_seq) values (${webhookId}, 0, 0, ${Date.now()}, 0)`
}

t.test('a replay delivers everything again, though a dispatcher is killed during it', async t => {
  const stores = await startStores(t)
  const { sql } = stores
  const port = await freePort()
  const victim = await spawnService(t, {
    entry: fileURLToPath(new URL('../../src/server.ts', import.meta.url)),
    env: { ...stores.env, WEBHOOK_DISPATCHER_PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })
  const receiver = await startReceiver(t)
  const id = await webhookCreator(sql)({ url: receiver.url })
  await storeEvents(sql, EVENTS)
  await requestReplay(sql, id)
  await receiver.waitFor(100)
  await victim.kill('SIGKILL')
  t.equal((await sql`select from webhooks.replay_requests where finished_at is null`).length, 1, 'in its middle')
  await startApp(t, stores)

  await until(
    async () => (
      await sql`select from webhooks.replay_requests where finished_at is not null and deliveries = ${EVENTS}`
    ).length === 1
  )
  await until(
    async () => (
      await sql`select from webhooks.deliveries where origin = 'replay' and state = 'delivered'`
    ).length === EVENTS
  )
  t.equal((await sql`select from webhooks.deliveries`).length, EVENTS, 'a delivery of each, once')
  t.equal(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size, EVENTS)
})

t.test('a replay delivers the events that its webhook selects, and ends with the webhook', async t => {
  const { sql, createWebhook } = await setup(t)
  const receiver = await startReceiver(t)
  const completed = await createWebhook({ url: receiver.url, eventType: 'completed' })
  const disabled = await createWebhook({ url: receiver.url, status: 'disabled' })
  await storeEvents(sql, 20)
  await requestReplay(sql, completed)
  await requestReplay(sql, disabled)
  await until(async () => (await sql`select from webhooks.replay_requests where finished_at is not null`).length === 2)
  await receiver.waitFor(10)
  t.same((await sql`select deliveries from webhooks.replay_requests order by id`).map(({ deliveries }) => deliveries), [10, 0])
})
