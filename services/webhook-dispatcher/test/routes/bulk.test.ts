import { randomUUID } from 'node:crypto'
import { startReceiver, tokenOf, until } from '@tidings/testing'
import t from 'tap'
import { setup } from './setup.ts'

const { call, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '1s' })
const receiver = await startReceiver(t)
const PATH = '/internal/bulk'

type Bulk = { bulkId: string, state: string, matched: number, done: number, failed: number, skipped: number }

type Page = {
  deliveries: { id: number, originId: number, status: string }[]
  pagination: { next: string | null }
}

let seq = 0
type Made = { user: string, webhookId: number, state?: string, hasPayload?: boolean }

async function made ({ user, webhookId, state = 'failed', hasPayload = true }: Made): Promise<number> {
  const event = { ms: Date.now(), seq: seq++ }
  if (hasPayload) {
    await sql`
      insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
      values (${event.ms}, ${event.seq}, ${user}, 'completed', ${`default:${seq}`}, '{"id":"1","jobname":"x"}')`
  }
  const [row] = await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    values (${webhookId}, ${event.ms}, ${event.seq}, 'completed', ${`default:${seq}`}, ${state},
      case when ${state} <> 'pending' then now() end) returning id`
  return Number(row?.id)
}

async function newWebhook (user: string, input: object = {}): Promise<number> {
  const body = { url: receiver.url, eventType: 'all', ...input }
  return ((await call('/webhooks', { method: 'POST', user, body })).body as { id: number }).id
}

const start = async (user: string, body: object, headers: Record<string, string> = {}) =>
  await call(PATH, { method: 'POST', user, body: { action: 'redeliver', ...body }, headers })
const started = async (user: string, body: object) => (await start(user, body)).body as Bulk
const ended = async (user: string, id: string) => await until(async () => {
  const bulk = (await call(`${PATH}/${id}`, { user })).body as Bulk
  return !['waiting', 'running'].includes(bulk.state) && bulk
})
const redelivered = async (webhookId: number) => (await sql`
  select origin_id, state from webhooks.deliveries
  where webhook_id = ${webhookId} and origin = 'redeliver' order by id`).map(row => Number(row.origin_id))

t.test('redelivers the deliveries of a filter, and no others', async t => {
  const user = randomUUID()
  const [webhookId, other] = [await newWebhook(user), await newWebhook(user)]
  const failed = [await made({ user, webhookId }), await made({ user, webhookId })]
  await made({ user, webhookId, state: 'delivered' })
  await made({ user, webhookId: other })
  const filter = { webhookId, status: 'failed' }
  t.same((await start(user, { filter, dryRun: true })).body, { matched: 2 })
  const { bulkId, matched } = await started(user, { filter })
  t.equal(matched, 2)
  t.match(await ended(user, bulkId), { state: 'finished', matched: 2, done: 2, failed: 0, skipped: 0, errors: [] })
  t.same(await redelivered(webhookId), failed)
  t.same(await redelivered(other), [])
  const listed = async (query: string, as = user) =>
    (await call(`/deliveries?bulkId=${bulkId}${query}`, { user: as })).body as Page
  t.same((await listed('')).deliveries.map(({ originId }) => originId), failed.toReversed(), 'what it made')
  const { pagination: { next } } = await listed('&limit=1')
  t.same((await listed(`&limit=1&cursor=${next}`)).deliveries.map(({ originId }) => originId), failed.slice(0, 1))
  t.same((await listed(`&webhookId=${other}`)).deliveries, [])
  t.same((await listed('', randomUUID())).deliveries, [], 'another user finds nothing')
  t.equal((await call('/deliveries?bulkId=0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17', { user })).status, 400, 'one of jobs')
  await receiver.waitFor(requests => requests.length >= 2)
})

t.test('what failed is found, sent again and followed in three requests, by the user or an operator', async t => {
  const [user, operator] = [randomUUID(), randomUUID()]
  const webhookId = await newWebhook(user)
  const failed = [await made({ user, webhookId }), await made({ user, webhookId })]
  await made({ user: operator, webhookId: await newWebhook(operator) })
  const filter = { status: 'failed', eventType: 'completed', from: '2026-01-01' }
  const asOperator = { authorization: `Bearer ${tokenOf(operator, { scope: 'operator:write' })}` }
  for (const { named, headers } of [{ named: '', headers: {} }, { named: `userId=${user}`, headers: asOperator }]) {
    const list = async (query: Record<string, string>) => {
      const { body } = await call(`/deliveries?${new URLSearchParams(query).toString()}&${named}`, { user, headers })
      return (body as Page).deliveries
    }
    t.same((await list(filter)).map(({ id }) => id), failed.toReversed())
    const body = { action: 'redeliver', filter }
    const { bulkId } = (await call(`${PATH}?${named}`, { method: 'POST', user, headers, body })).body as Bulk
    const became = await until(async () => {
      const all = await list({ bulkId })
      return all.length === 2 && all.every(({ status }) => status === 'delivered') && all
    })
    t.same(became.map(({ originId }) => originId), failed.toReversed())
  }
})

t.test('an empty text in the filter is refused with its path, and redelivers nothing', async t => {
  const user = randomUUID()
  await made({ user, webhookId: await newWebhook(user) })
  for (const name of ['eventId', 'jobId', 'queue', 'status', 'eventType', 'origin', 'from', 'bulkId']) {
    const { status, body } = await start(user, { filter: { [name]: '' } })
    t.equal(status, 400, name)
    t.match(body, { errors: [{ path: `body.filter.${name}` }] })
  }
})

t.test('says why a delivery cannot be redelivered', async t => {
  const user = randomUUID()
  const [webhookId, deleted, disabled] = [await newWebhook(user), await newWebhook(user), await newWebhook(user)]
  const ids = [
    await made({ user, webhookId, hasPayload: false }),
    await made({ user, webhookId: deleted }),
    await made({ user, webhookId: disabled })
  ]
  await call(`/webhooks/${deleted}`, { method: 'DELETE', user })
  await sql`update webhooks.webhooks set status = 'disabled' where id = ${disabled}`
  const { bulkId } = await started(user, { ids })
  t.match(await ended(user, bulkId), {
    matched: 3,
    done: 0,
    failed: 3,
    errors: [
      { id: String(ids[0]), outcome: 'failed', reason: 'The payload is no longer kept' },
      { id: String(ids[1]), reason: 'The webhook was deleted' },
      { id: String(ids[2]), reason: 'The webhook is disabled' }
    ]
  })
})

t.test('adds no more than may wait at a webhook, and goes on once there is room', async t => {
  const user = randomUUID()
  const webhookId = await newWebhook(user, { active: false })
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    select 1000, n, ${user}, 'completed', 'default:' || n, '{"id":"1","jobname":"x"}' from generate_series(1, 700) n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at)
    select ${webhookId}, 1000, n, 'completed', 'default:' || n, 'failed', now() from generate_series(1, 700) n`
  const { bulkId } = await started(user, { filter: { webhookId } })
  const waiting = async () => Number((await sql`
    select count(*) from webhooks.deliveries where webhook_id = ${webhookId} and state = 'pending'`)[0]?.count)
  await until(async () => await waiting() === 500)
  t.match((await call(`${PATH}/${bulkId}`, { user })).body, { state: 'running', done: 500 })
  await call(`/webhooks/${webhookId}`, { method: 'PUT', user, body: { active: true } })
  t.match(await ended(user, bulkId), { state: 'finished', matched: 700, done: 700 })
  const times = await sql`
    select count(*) from webhooks.deliveries where webhook_id = ${webhookId} and origin = 'redeliver' group by origin_id`
  t.ok(times.length === 700 && times.every(({ count }) => Number(count) === 1), 'each once')
})

t.test('can be stopped, and is repeated by its Idempotency-Key', async t => {
  const user = randomUUID()
  const webhookId = await newWebhook(user, { active: false })
  for (let i = 0; i < 3; i++) await made({ user, webhookId })
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state)
    select ${webhookId}, 0, 0, 'test', 'completed', 'pending' from generate_series(1, 500) n` // no room
  const body = { filter: { webhookId, status: 'failed' } }
  const { bulkId } = (await start(user, body, { 'idempotency-key': 'k' })).body as Bulk
  t.match((await start(user, body, { 'idempotency-key': 'k' })).body, { bulkId })
  t.equal((await start(user, { ids: [1] }, { 'idempotency-key': 'k' })).status, 409)
  t.match((await call(`${PATH}/${bulkId}`, { method: 'DELETE', user })).body, { state: 'stopped', done: 0 })
  await until(async () => (await sql`select from webhooks.bulk_items`).length === 0)
  t.same(await redelivered(webhookId), [])
  t.match((await call(PATH, { user })).body, { bulks: [{ bulkId, state: 'stopped', matched: 3 }] })
})

t.test('is for its user, with the scopes of webhooks', async t => {
  const user = randomUUID()
  const id = await made({ user, webhookId: await newWebhook(user) })
  t.same((await start('somebody', { ids: [id], dryRun: true })).body, { matched: 0 }, 'others do not match')
  const { bulkId } = await started(user, { ids: [id] })
  t.equal((await call(`${PATH}/${bulkId}`, { user: 'somebody' })).status, 404)
  t.equal((await call(`${PATH}/${bulkId}`, { method: 'DELETE', user: 'somebody' })).status, 404)
  const authorization = `Bearer ${tokenOf(user, { scope: 'jobs:read jobs:write webhooks:read' })}`
  t.equal((await start(user, { ids: [id] }, { authorization })).status, 403)
  t.match((await start(user, { filter: { status: 'pending' } })).body, { errors: [{ path: 'body.filter.status' }] })
  t.match((await start(user, {})).body, { errors: [{ path: 'body' }] })
})
