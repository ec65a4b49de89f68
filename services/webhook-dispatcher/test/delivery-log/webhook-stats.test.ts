import t from 'tap'
import { createSql } from '@tidings/service-kit'
import { webhookStats } from '../../src/delivery-log/webhook-stats.ts'
import { explain, isOnDeliveries, rowsOf } from '../delivery/explain.ts'
import { setup } from '../routes/setup.ts'

const { call, sql, url } = await setup(t)
const user = 'someone'
const START = Date.parse('2026-03-01T00:00:00Z')
const MINUTE = 60_000

const newWebhook = async () => (await call(
  '/webhooks', { method: 'POST', user, body: { url: 'https://example.com/', eventType: 'all' } }
)).body.id as number

const webhookId = await newWebhook()
const other = await newWebhook()
// In each minute: nine delivered after 10, 20, … 90 ms, and one that failed; of another webhook one.
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, attempts, created_at, finished_at)
  select case when k = 11 then ${other}::int else ${webhookId}::int end, at, k, 'completed', case when k = 10 then 'failed' else 'delivered' end,
    case when k = 10 then 4 else 1 end, to_timestamp(at / 1000.0), to_timestamp((at + k * 10) / 1000.0)
  from generate_series(0, 59) minute cross join generate_series(1, 11) k
  cross join lateral (select ${START}::bigint + minute * 60000 + k * 1000 as at) made`
await sql`
  insert into webhooks.deliveries (webhook_id, event_ms, event_seq, origin, type, state, attempts, created_at, finished_at, due_at)
  values (${webhookId}, 1, 1, 'redeliver', 'completed', 'delivered', 1, to_timestamp(${START + 60 * MINUTE} / 1000.0), to_timestamp(${START + 60 * MINUTE + 70} / 1000.0), now()),
    (${webhookId}, 1, 2, 'event', 'progress', 'superseded', 0, to_timestamp(${START + 60 * MINUTE} / 1000.0), now(), now()),
    (${webhookId}, 1, 3, 'event', 'progress', 'closed', 0, to_timestamp(${START + 60 * MINUTE} / 1000.0), now(), now()),
    (${webhookId}, 1, 4, 'event', 'progress', 'pending', 2, to_timestamp(${START + 60 * MINUTE} / 1000.0), null, now() + interval '1 day')`

const stats = async (query = '', id = webhookId) => await call(`/webhooks/${id}/stats${query}`, { user })

t.test('deliveries are counted by bucket and outcome, with attempts and latencies', async t => {
  const { status, body } = await stats('?from=2026-03-01&to=2026-03-01T01:02:00Z&step=20m')
  t.equal(status, 200)
  const [first, second, third, last] = body.buckets
  const full = {
    delivered: 180, failed: 20, superseded: 0, closed: 0, pending: 0, attempts: 260, latencyMs: { p50: 50, p95: 90 }
  }
  t.same(first, { from: Date.parse('2026-03-01T00:00:00Z'), ...full })
  t.same(second, { from: Date.parse('2026-03-01T00:20:00Z'), ...full })
  t.same(third, { from: Date.parse('2026-03-01T00:40:00Z'), ...full })
  t.same(last, {
    from: Date.parse('2026-03-01T01:00:00Z'),
    delivered: 1,
    failed: 0,
    superseded: 1,
    closed: 1,
    pending: 1,
    attempts: 3,
    latencyMs: { p50: 70, p95: 70 }
  })
  t.equal(body.buckets.length, 4)
  t.match(body.total, {
    delivered: 541, failed: 60, superseded: 1, closed: 1, pending: 1, latencyMs: { p50: 50, p95: 90 }
  })
  t.match(body, { webhookId, from: START, to: START + 62 * MINUTE, step: 20 * MINUTE })
  t.notOk('isPartial' in body)
})

t.test('from is included, to is not, and empty buckets are shown', async t => {
  const { body } = await stats(`?from=${START + 1000}-0&to=2026-03-01T00:00:02Z&step=1s`)
  t.match(body.buckets, [{ from: Date.parse('2026-03-01T00:00:01Z'), delivered: 1 }])
  const empty = (await stats('?from=2026-02-28T23:58:00Z&to=2026-03-01T00:00:00Z&step=1m')).body
  const none = { delivered: 0, latencyMs: { p50: null, p95: null } }
  t.match(empty.buckets, [none, none])
})

t.test('without a query the last 24 hours are counted', async t => {
  const { body } = await stats()
  t.equal(body.step, 15 * MINUTE)
  t.equal(body.to - body.from, 86_400_000)
  t.equal(body.buckets.length, 96)
})

t.test('an invalid query is reported with its path', async t => {
  const invalid: [query: string, path: string, message: RegExp][] = [
    ['from=2026-03-01&to=2026-03-02&step=1m', 'step', /must be at least 432s/],
    ['from=2026-03-02&to=2026-03-01', 'from', /must be before to/],
    ['from=2026-03-01&to=2026-03-01', 'from', /must be before to/],
    ['from=2026-13-01', 'from', /must be .* a time/],
    ['step=0s', 'step', /./],
    ['step=15', 'step', /./],
    ['step=1w', 'step', /a duration/],
    ['step=1m&step=2m', 'step', /./],
    ['limit=1', 'limit', /./]
  ]
  for (const [query, path, message] of invalid) {
    const { status, body } = await stats(`?${query}`)
    t.match([status, body.errors?.[0]], [400, { path: `querystring.${path}`, message }], query)
  }
  t.equal((await stats('?from=2026-03-01&to=2026-03-02&step=432s')).status, 200, 'the step that the error names')
  t.equal((await stats('?from=&to=&step=')).status, 200)
  t.equal((await call(`/webhooks/${webhookId}/stats`, { user: 'another' })).status, 404)
})

t.test('of very many deliveries the newest are counted, and the answer says since when', async t => {
  const id = await newWebhook()
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, attempts, created_at, finished_at)
    select ${id}, 1, n, 'progress', 'delivered', 1, at, at from generate_series(1, 60000) n
    cross join lateral (select to_timestamp((${START + 600 * MINUTE}::bigint + n * 60) / 1000.0) as at) made`
  await sql`analyze webhooks.deliveries`
  const period = '?from=2026-03-01T10:00:00Z&step=10m'
  const { body } = await stats(`${period}&to=2026-03-01T11:00:01Z`, id)
  t.equal(body.isPartial, true)
  t.equal(body.completeFrom, Date.parse('2026-03-01T10:10:00.061Z'))
  t.equal(body.total.delivered, 50_000)
  t.equal(body.buckets[0].from, Date.parse('2026-03-01T10:10:00Z'))
  t.equal((await stats(`${period}&to=${body.completeFrom - 1}`, id)).body.total.delivered, 10_000)

  const client = createSql(url, { max: 1 })
  t.teardown(() => client.end({ timeout: 1 }))
  const day = { from: START, to: START + 86_400_000, step: 15 * MINUTE }
  const { nodes, generic } = await explain(url, async tx => await webhookStats(tx as typeof client, id, day))
  const read = [...nodes, ...generic].filter(isOnDeliveries).map(node => node['Node Type'])
  t.notOk(read.includes('Seq Scan'), read.join(', '))
  t.ok(nodes.filter(isOnDeliveries).every(node => rowsOf(node) <= 50_000))
})
