import { randomUUID } from 'node:crypto'
import { startReceiver, until } from '@tidings/testing'
import t from 'tap'
import { setup } from './setup.ts'

const { call, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '1s', WEBHOOK_RECOVERY_WINDOW: '0' })
const newUser = () => `user-${randomUUID()}`
const HOUR_MS = 3_600_000
const since = new Date(Date.now() - HOUR_MS).toISOString()

type Replayed = { user: string, id: number }

async function newWebhook (body: object = {}): Promise<Replayed> {
  const user = newUser()
  const { status, body: created } = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'http://127.0.0.1:9/', eventTypes: ['progress', 'completed', 'failed'], ...body } }
  )
  if (status !== 201) throw new Error(JSON.stringify(created))
  return { user, id: created.id }
}

type Stored = { state?: string, type?: string, queue?: string, name?: string, at?: number }
let seq = 0

/** An event of the user's, with its delivery if that has a state; as fan-out writes them. */
async function store ({ user, id }: Replayed, stored: Stored = {}) {
  const { state, type = 'completed', queue = 'default', name = 'report', at = Date.now() - 60_000 } = stored
  const jobId = `job:${++seq}`
  const body = JSON.stringify({ id: jobId, jobname: name, userId: user, result: 1, eventType: type })
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    values (${at}, ${seq}, ${user}, ${type}, ${`${queue}:${jobId}`}, ${body})`
  if (state === undefined) return { jobId, eventId: `${at}-${seq}` }
  const [row] = await sql<{ id: string }[]>`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, attempts, finished_at, lost_at)
    values (${id}, ${at}, ${seq}, ${type}, ${`${queue}:${jobId}`}, ${state}, 4, now(), case when ${state === 'failed'} then now() - interval '1 year' end)
    returning id`
  return { jobId, eventId: `${at}-${seq}`, deliveryId: Number(row?.id) }
}

const replay = async ({ user, id }: Replayed, body: object) => await call(
  `/webhooks/${id}/replay`, { method: 'POST', user, body: { since, ...body } }
)
const matched = async (webhook: Replayed, body: object = {}) => (
  await replay(webhook, { dryRun: true, ...body })
).body.matched as number

/** The replay once it has created all deliveries and none is pending. */
async function ended ({ user }: Replayed, location: unknown) {
  return await until(async () => {
    const { body } = await call(location as string, { user })
    return body.status !== 'running' && body.outcomes.pending === 0 && body
  })
}

t.test('a dry run counts what a replay would send, and sends nothing', async t => {
  const webhook = await newWebhook()
  for (const type of ['completed', 'completed', 'failed', 'progress']) await store(webhook, { type })
  const { status, body } = await replay(webhook, { dryRun: true })
  t.same([status, body], [200, { matched: 4 }])
  t.equal(await matched(webhook, { eventTypes: ['completed', 'progress'] }), 3)
  t.equal((await sql`select from webhooks.replay_requests where webhook_id = ${webhook.id}`).length, 0)
  t.equal((await sql`select from webhooks.deliveries where webhook_id = ${webhook.id}`).length, 0)
  t.equal((await replay(webhook, { dryRun: false })).status, 202)
})

t.test('a dry run of more than 100,000 events says that it stopped counting', async t => {
  const webhook = await newWebhook({ eventTypes: ['completed'] })
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    select ${Date.now() - 60_000}::bigint, 1000000 + n, ${webhook.user}, case when n % 100 = 0 then 'completed' else 'progress' end, 'default:' || n, '{}'
    from generate_series(1, 100001) as n`
  t.same((await replay(webhook, { dryRun: true })).body, { matched: 1000, matchedIsCapped: true })
  await sql`delete from webhooks.events where user_id = ${webhook.user} and event_seq > 1000000 + 99999`
  t.same((await replay(webhook, { dryRun: true })).body, { matched: 999 }, 'fewer')
})

t.test('a replay sends what the webhook would receive now', async t => {
  const names = ['monthly', 'say "hi" \\ \u2028ü']
  const receiver = await startReceiver(t)
  const webhook = await newWebhook({
    url: receiver.url, eventTypes: ['completed', 'failed'], filter: { queues: ['reports', 'q'], names }
  })
  const sent = [
    await store(webhook, { queue: 'reports', name: 'monthly' }),
    await store(webhook, { queue: 'q', name: names[1] as string, type: 'failed' })
  ]
  await store(webhook, { queue: 'reports', name: 'monthly', type: 'progress' })
  await store(webhook, { queue: 'default', name: 'monthly' })
  await store(webhook, { queue: 'reports', name: 'month' })
  await store(webhook, { queue: 'reports', name: '"monthly"' })
  t.equal(await matched(webhook), 2)
  t.equal(await matched(webhook, { eventTypes: ['completed', 'progress'] }), 1)
  const { headers } = await replay(webhook, {})
  t.match(await ended(webhook, headers.location), { deliveries: 2, outcomes: { delivered: 2 } })
  const received = receiver.requests.map(request => request.headers['webhook-id'])
  t.same(new Set(received), new Set(sent.map(({ eventId }) => eventId)))
  t.equal(received.length, sent.length)
})

t.test('a replay ends before a time, or with an event', async t => {
  const webhook = await newWebhook()
  const at = Date.now() - 60_000
  const first = await store(webhook, { at })
  await store(webhook, { at: at + 1000 })
  t.equal(await matched(webhook, { until: new Date(at + 1000).toISOString() }), 1)
  t.equal(await matched(webhook, { until: new Date(at + 1001).toISOString() }), 2)
  t.equal(await matched(webhook, { until: first.eventId }), 1)
  t.equal(await matched(webhook, { since: first.eventId, until: '2040-01-01T00:00:00Z' }), 1)
  const { body, headers } = await replay(webhook, { until: first.eventId })
  t.match(body, { conditions: { since, until: first.eventId } })
  t.match(await ended(webhook, headers.location), { deliveries: 1 })
})

t.test('a replay of what failed sends an event until one repetition of it is delivered', async t => {
  let status = 500
  const receiver = await startReceiver(t, () => status)
  const webhook = await newWebhook({ url: receiver.url })
  const failed = [
    await store(webhook, { state: 'failed' }),
    await store(webhook, { state: 'failed', type: 'progress' })
  ]
  for (const state of ['delivered', 'superseded', 'closed', undefined]) await store(webhook, state ? { state } : {})
  const conditions = { status: 'failed' }
  t.equal(await matched(webhook, conditions), 2)
  t.equal(await matched(webhook, { ...conditions, eventTypes: ['progress'] }), 1)

  const failedAgain = async (location: unknown) => {
    await until(async () => {
      await sql`update webhooks.deliveries set due_at = now() where webhook_id = ${webhook.id} and state = 'pending'`
      await sql`update webhooks.webhooks set open_until = null, failures = 0 where id = ${webhook.id}`
      const { body } = await call(location as string, { user: webhook.user })
      return body.status === 'finished' && body.outcomes.failed === 2
    })
  }
  const first = await replay(webhook, conditions)
  t.match(first.body, { status: 'running', conditions: { since, status: 'failed' } })
  await until(async () => (await sql`select from webhooks.deliveries where origin = 'replay' and webhook_id = ${webhook.id}`).length === 2)
  t.equal(await matched(webhook, conditions), 0, 'its deliveries are pending')
  await failedAgain(first.headers.location)
  t.equal(await matched(webhook, conditions), 2, 'they have failed too')

  status = 200
  const again = await call(`/deliveries/${failed[0]?.deliveryId}/redeliver`, { method: 'POST', user: webhook.user })
  await until(async () => (await call(`/deliveries/${again.body.id}`, { user: webhook.user })).body.status === 'delivered')
  t.equal(await matched(webhook, conditions), 1, 'one is delivered')
  status = 500
  await call(`/deliveries/${failed[0]?.deliveryId}/redeliver`, { method: 'POST', user: webhook.user })
  t.equal(await matched(webhook, conditions), 1, 'a further repetition changes nothing about that')

  status = 200
  const last = await replay(webhook, conditions)
  await until(async () => {
    await sql`update webhooks.deliveries set due_at = now() where webhook_id = ${webhook.id} and state = 'pending'`
    await sql`update webhooks.webhooks set open_until = null, failures = 0 where id = ${webhook.id}`
    return (await call(last.headers.location as string, { user: webhook.user })).body.outcomes.delivered === 1
  })
  t.match(
    (await call(last.headers.location as string, { user: webhook.user })).body,
    { status: 'finished', deliveries: 1, outcomes: { pending: 0, delivered: 1, failed: 0, closed: 0 } }
  )
  t.equal(await matched(webhook, conditions), 0)
})

t.test('replays are listed newest first, page by page', async t => {
  const webhook = await newWebhook()
  const ids: number[] = []
  for (let i = 0; i < 5; i++) ids.unshift((await replay(webhook, {})).body.id)
  const list = async (query: string) => (await call(`/webhooks/${webhook.id}/replays${query}`, { user: webhook.user })).body
  const all = await list('')
  t.same(all.replays.map(({ id }: { id: number }) => id), ids)
  t.match(all.replays[0], { status: 'finished', conditions: { since }, deliveries: 0 })
  t.equal(all.pagination.next, null)
  const first = await list('?limit=3')
  const rest = await list(`?limit=3&cursor=${first.pagination.next}`)
  t.same([...first.replays, ...rest.replays], all.replays)
  t.equal(rest.pagination.next, null)
  for (const query of ['limit=0', 'limit=101', 'cursor=x', 'page=1']) {
    const { status } = await call(`/webhooks/${webhook.id}/replays?${query}`, { user: webhook.user })
    t.equal(status, 400, query)
  }
})

t.test('a stopped replay creates no more deliveries, and closes those that wait', async t => {
  const webhook = await newWebhook({ active: false }) // its deliveries wait
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    select ${Date.now() - 60_000}::bigint, n, ${webhook.user}, 'completed', 'default:' || n, '{}' from generate_series(1, 1200) as n`
  const { headers } = await replay(webhook, {})
  const location = headers.location as string
  const show = async () => (await call(location, { user: webhook.user })).body
  await until(async () => (await show()).deliveries >= 500)
  const running = await replay(webhook, {})
  t.match([running.status, running.body.detail], [409, /still running/])
  t.equal((await call(location, { user: webhook.user, method: 'DELETE' })).status, 204)
  const stopped = await show()
  const outcomes = { pending: 0, delivered: 0, failed: 0, closed: 500 }
  t.match(stopped, { status: 'stopped', deliveries: 500, outcomes })
  t.type(stopped.finishedAt, 'string')
  t.match(
    (await sql`select reason from webhooks.deliveries where webhook_id = ${webhook.id} limit 1`)[0],
    { reason: 'The replay was stopped' }
  )
  t.equal((await call(location, { user: webhook.user, method: 'DELETE' })).status, 204, 'once more')
  t.equal((await replay(webhook, {})).status, 202, 'another one may run')
})

t.test('deliveries of a finished replay that wait are closed by stopping it', async t => {
  const webhook = await newWebhook({ active: false })
  await store(webhook)
  const { headers } = await replay(webhook, {})
  const show = async () => (await call(headers.location as string, { user: webhook.user })).body
  await until(async () => (await show()).status === 'finished')
  t.match(await show(), { deliveries: 1, outcomes: { pending: 1 } })
  t.equal((await call(headers.location as string, { user: webhook.user, method: 'DELETE' })).status, 204)
  t.match(await show(), { status: 'finished', deliveries: 1, outcomes: { pending: 0, closed: 1 } })
})

t.test('conditions with faults are refused with their path', async t => {
  const webhook = await newWebhook()
  const faults: [object, string][] = [
    [{ until: since }, 'body.until'],
    [{ until: 'tomorrow' }, 'body.until'],
    [{ until: 5 }, 'body.until'],
    [{ status: 'delivered' }, 'body.status'],
    [{ eventTypes: [] }, 'body.eventTypes'],
    [{ eventTypes: ['all'] }, 'body.eventTypes.0'],
    [{ dryRun: 'yes' }, 'body.dryRun'],
    [{ queue: 'x' }, 'body.queue']
  ]
  for (const [body, path] of faults) {
    const { status, body: problem } = await replay(webhook, body)
    t.same([status, problem.errors?.[0]?.path], [400, path], JSON.stringify(body))
  }
  t.equal((await replay(webhook, { until: null, status: null, eventTypes: null, dryRun: null })).status, 202)
})

t.test('replays of others are as those that do not exist', async t => {
  const webhook = await newWebhook()
  const { headers } = await replay(webhook, {})
  const user = newUser()
  const own = await newWebhook()
  const asked = [
    await call(headers.location as string, { user }),
    await call(headers.location as string, { user, method: 'DELETE' }),
    await call(`/webhooks/${webhook.id}/replays`, { user }),
    await replay({ ...webhook, user }, { dryRun: true }),
    await call(`/webhooks/${own.id}/replays/${(headers.location as string).split('/').at(-1)}`, { user: own.user }),
    await call(`/webhooks/${own.id}/replays/${(headers.location as string).split('/').at(-1)}`, { user: own.user, method: 'DELETE' })
  ]
  t.same(asked.map(({ status }) => status), asked.map(() => 404))
})

t.test('a disabled webhook is not replayed, not even counted', async t => {
  const webhook = await newWebhook()
  await sql`update webhooks.webhooks set status = 'disabled' where id = ${webhook.id}`
  for (const dryRun of [true, false]) t.equal((await replay(webhook, { dryRun })).status, 409)
})
