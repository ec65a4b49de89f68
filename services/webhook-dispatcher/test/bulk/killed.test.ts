import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort, spawnService, startReceiver, tokenOf, until } from '@tidings/testing'
import { startStores, webhookCreator } from '../setup.ts'

/** A test for people runs it with 10,000. */
const DELIVERIES = Number(process.env.TIDINGS_TEST_BULK_DELIVERIES ?? 2000)
const SERVER = fileURLToPath(new URL('../../src/server.ts', import.meta.url))
const TIMEOUT_MS = 240_000

type Bulk = { bulkId: string, state: string, matched: number }

t.test(`a bulk redelivery of ${DELIVERIES}, killed twice, redelivers each exactly once`, async t => {
  const { sql, env } = await startStores(t)
  const receiver = await startReceiver(t)
  const headers = { authorization: `Bearer ${tokenOf('1')}`, 'content-type': 'application/json' }
  async function startDispatcher () {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const service = await spawnService(t, {
      entry: SERVER, env: { ...env, WEBHOOK_DISPATCHER_PORT: String(port) }, readyUrl: `${url}/readyz`, readyTimeoutMs: TIMEOUT_MS
    })
    return { ...service, url }
  }
  let dispatcher = await startDispatcher()
  const webhookId = await webhookCreator(sql)({ url: receiver.url })
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    select ${Date.now()}::bigint, n, '1', 'completed', 'default:' || n, '{"id":"' || n || '"}' from generate_series(1, ${DELIVERIES}::int) n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select ${webhookId}, event_ms, event_seq, type, chain, 'failed', now() from webhooks.events order by event_seq`

  async function call (method: string, path: string, body?: object): Promise<Bulk> {
    const response = await fetch(`${dispatcher.url}/internal/bulk${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return await response.json() as Bulk
  }
  const { bulkId, matched } = await call('POST', '', { action: 'redeliver', filter: { status: 'failed' } })
  t.equal(matched, DELIVERIES)
  const left = async () => Number((await sql`select count(*) from webhooks.bulk_items`)[0]?.count)
  for (const share of [0.8, 0.4]) {
    await until(async () => await left() < DELIVERIES * share, { timeoutMs: TIMEOUT_MS, what: 'some items to be done' })
    await dispatcher.kill('SIGKILL')
    t.ok(await left() > 0, 'it was killed in the middle')
    dispatcher = await startDispatcher()
  }
  const bulk = await until(async () => {
    const now = await call('GET', `/${bulkId}`)
    return now.state === 'finished' && now
  }, { timeoutMs: TIMEOUT_MS, what: 'the bulk action to finish' })
  t.match(bulk, { matched: DELIVERIES, done: DELIVERIES, failed: 0, skipped: 0 })
  const times = await sql`
    select count(*) from webhooks.deliveries where origin = 'redeliver' group by origin_id`
  t.equal(times.length, DELIVERIES)
  t.ok(times.every(({ count }) => Number(count) === 1), 'each has one redelivery')
  await until(async () => Number((await sql`
    select count(*) from webhooks.deliveries where origin = 'redeliver' and state = 'delivered'`)[0]?.count) === DELIVERIES, {
    timeoutMs: TIMEOUT_MS, what: 'all to be delivered'
  })
})
