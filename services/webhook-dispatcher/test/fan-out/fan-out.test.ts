import t from 'tap'
import { Webhook } from 'standardwebhooks'
import { startReceiver, until } from '@tidings/testing'
import { jobOf, setup, SIGNING_SECRET, type NewEvent } from '../setup.ts'

t.test('delivers a job\'s events in order, signed, and keeps every delivery with its attempt', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t)
  await createWebhook({ url: `${receiver.url}/hook` })
  await append([{ type: 'added', jobId: '7' }, { type: 'active', jobId: '7' }, ...jobOf('7', 20)])

  const requests = await receiver.waitFor(21)
  t.same(
    requests.map(({ json }) => (json as { progress?: number }).progress ?? 'end'),
    [...Array.from({ length: 20 }, (_, i) => i + 1), 'end']
  )
  t.equal(
    requests.at(-1)?.body, '{"id":"7","jobname":"report","userId":1,"result":{"rows":20},"eventType":"completed"}'
  )
  for (const { headers, body } of requests) {
    t.ok(new Webhook(SIGNING_SECRET).verify(body, headers as Record<string, string>))
    t.equal(headers['webhook-attempt'], '1')
    t.match(headers['user-agent'], /^Tidings\//)
    t.equal(headers['content-type'], 'application/json')
  }
  const ids = requests.map(({ headers }) => headers['webhook-id'])
  t.equal(new Set(ids).size, 21)

  const rows = await until(async () => {
    const found = await sql`
      select d.event_ms || '-' || d.event_seq as id, d.state, d.attempts, a.status, a.total_ms
      from webhooks.deliveries d join webhooks.attempts a on a.delivery_id = d.id order by d.event_ms, d.event_seq`
    return found.length === 21 && found
  })
  t.same(rows.map(({ id }) => id), ids)
  t.ok(rows.every(({ state, attempts, status }) => state === 'delivered' && attempts === 1 && status === 200))
})

t.test('operators see the lag', async t => {
  const { app, append, redis, sql } = await setup(t)
  const lag = async () => Number(
    /^tidings_webhook_fan_out_lag_seconds (\S+)$/m.exec(await app.metricsRegistry.metrics())?.[1]
  )
  await append([{ type: 'completed', jobId: '1', result: 1 }])
  await until(async () => (await sql`select from webhooks.shard_positions where event_ms > 0`).length === 1)
  t.equal(await lag(), 0)
  await app.delivery.stop() // nobody reads without a name
  await sql`update webhooks.shard_positions set event_ms = event_ms - 5000, worker_id = null`
  t.equal(await lag(), 5)
  await redis.stop()
  t.ok(Number.isNaN(await lag()))
})

t.test('each webhook receives the events that it selects, from its creation on', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t)
  await createWebhook({ url: `${receiver.url}/progress`, eventType: 'progress' })
  await createWebhook({ url: `${receiver.url}/failed`, eventType: 'failed' })
  await createWebhook({ url: `${receiver.url}/paused`, status: 'paused' })
  await createWebhook({ url: `${receiver.url}/foreign`, userId: '2' })
  const late = await createWebhook({ url: `${receiver.url}/late` })
  await sql`update webhooks.webhooks set since_ms = ${Date.now() + 60_000} where id = ${late}`
  await append([{ type: 'progress', jobId: '1', progress: 5 }, { type: 'failed', jobId: '1', error: 'no' }])

  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 2)
  t.same(
    new Map(receiver.requests.map(({ url, json }) => [url, (json as { eventType: string }).eventType])),
    new Map([['/progress', 'progress'], ['/failed', 'failed']])
  )
  t.equal((await sql`select from webhooks.events`).length, 2)
})

t.test('a job\'s own webhookUrl gets its completion, signed with the user\'s legacy secret', async t => {
  const { append, app, sql } = await setup(t)
  const receiver = await startReceiver(t)
  const webhookUrl = `${receiver.url}/mine`
  await append([
    { type: 'progress', jobId: '1', progress: 5 }, { type: 'completed', jobId: '1', result: 1, webhookUrl }
  ])
  await append([{ type: 'completed', jobId: '2', result: 2, webhookUrl }, { type: 'completed', jobId: '3', result: 3 }])

  const requests = await receiver.waitFor(2)
  const [row] = await sql`select ciphertext from webhooks.secrets where user_id = '1' and webhook_id is null`
  const webhook = new Webhook(app.secretBox.open(row?.ciphertext))
  for (const { body, headers } of requests) t.ok(webhook.verify(body, headers as Record<string, string>))
  t.same(new Set(requests.map(({ json }) => (json as { id: string }).id)), new Set(['1', '2']))
  t.equal((await sql`select from webhooks.webhooks`).length, 1)
})

t.test('a job\'s disabled webhookUrl is reactivated by the next job that names it', async t => {
  const { append, sql } = await setup(t)
  const receiver = await startReceiver(t)
  const jobs = (ids: string[]): NewEvent[] => ids.map(
    jobId => ({ type: 'completed', jobId, result: 1, webhookUrl: receiver.url })
  )
  await append(jobs(['1']))
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 1)
  await sql`update webhooks.webhooks set status = 'disabled', failures = 20, failing_since = now() - interval '6 days' where kind = 'job'`
  await append(jobs(['2', '3']))
  t.same(new Set((await receiver.waitFor(3)).map(({ json }) => (json as { id: string }).id)), new Set(['1', '2', '3']))
  t.match(
    await sql`select status, disabled_reason, failures from webhooks.webhooks`,
    [{ status: 'active', disabled_reason: null, failures: 0 }]
  )
})
