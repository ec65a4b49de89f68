import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { setup, type NewEvent } from '../../setup.ts'

const completions = (from: number, to: number): NewEvent[] =>
  Array.from({ length: to - from }, (_, i) => ({ type: 'completed', jobId: String(from + i), result: i }))

t.test('410 disables the webhook, and its pending deliveries close with the reason', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t, () => 410)
  const id = await createWebhook({ url: receiver.url })
  await append(completions(0, 30))

  await until(async () => (await sql`select from webhooks.deliveries`).length === 30)
  await until(async () => (await sql`select from webhooks.deliveries where state = 'pending'`).length === 0)
  const [webhook] = await sql`select status, disabled_reason from webhooks.webhooks where id = ${id}`
  t.same({ ...webhook }, { status: 'disabled', disabled_reason: 'The endpoint answered 410 Gone' })
  const closed = await sql`select distinct reason from webhooks.deliveries where state = 'closed'`
  t.same(closed.map(({ reason }) => reason), ['The webhook was disabled: The endpoint answered 410 Gone'])
  t.ok(receiver.requests.length < 30)
})

t.test('Retry-After pauses the whole endpoint, and no other', async t => {
  const { append, createWebhook } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '10ms,10ms,10ms' })
  const busy = await startReceiver(
    t, (_request, response) => { response.writeHead(429, { 'retry-after': '3600' }).end() }
  )
  const other = await startReceiver(t)
  await createWebhook({ url: busy.url })
  await createWebhook({ url: other.url })
  await append(completions(0, 1))
  await busy.waitFor(1)
  await other.waitFor(1)
  await append(completions(1, 4))

  await other.waitFor(4)
  t.equal(busy.requests.length, 1)
})

t.test('a pause that an endpoint asked for is not shortened by attempts that were in flight', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const answers = [() => new Promise<number>(resolve => setTimeout(resolve, 300, 500)), () => 429]
  const receiver = await startReceiver(t, (_request, response) => {
    response.setHeader('retry-after', '60')
    return answers.shift()?.() ?? 200
  })
  const id = await createWebhook({ url: receiver.url })
  await append(completions(0, 2))
  await until(async () => (await sql`select from webhooks.attempts`).length === 2)
  t.equal((
    await sql`select from webhooks.webhooks where id = ${id} and open_until > now() + interval '50 s' and failures = 2`
  ).length, 1)
})

t.test('Retry-After is honoured up to a limit, for all pending deliveries of the endpoint', async t => {
  const { append, createWebhook } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '10ms', WEBHOOK_RETRY_AFTER_MAX: '300ms' })
  let first = true
  const receiver = await startReceiver(t, (_request, response) => {
    if (!first) return 200
    first = false
    response.writeHead(503, { 'retry-after': '86400' }).end()
  })
  await createWebhook({ url: receiver.url })
  await append(completions(0, 1))
  const throttledAt = (await receiver.waitFor(1))[0]?.at ?? 0
  await append(completions(1, 4))
  const requests = await receiver.waitFor(5)
  t.ok(requests.slice(1).every(({ at }) => at - throttledAt >= 290), 'nothing came earlier')
})

t.test('the circuit of a failing endpoint opens, uses up no attempts, and closes after a probe', async t => {
  const { append, createWebhook, sql } = await setup(
    t, { WEBHOOK_TIMEOUT_MS: '200', WEBHOOK_RETRY_SCHEDULE: '100ms,200ms,300ms,400ms,500ms,600ms' }
  )
  let isWell = false
  const receiver = await startReceiver(t, () => isWell ? 200 : 500)
  const id = await createWebhook({ url: receiver.url })
  await append(completions(0, 20))

  await until(
    async () => (
      await sql`select from webhooks.webhooks where id = ${id} and failures >= 30 and open_until > now()`
    ).length === 1
  )
  await sql`update webhooks.webhooks set open_until = now() + interval '1 hour' where id = ${id}`
  await append(completions(20, 40))
  await until(async () => (await sql`select from webhooks.deliveries`).length === 40)
  const tried = receiver.requests.length
  isWell = true
  await sql`update webhooks.webhooks set open_until = now() where id = ${id}`

  await until(async () => (await sql`select from webhooks.deliveries where state = 'pending'`).length === 0)
  const late = await sql`select attempts, state from webhooks.deliveries order by id desc limit 20`
  t.ok(
    late.every(({ attempts, state }) => attempts === 1 && state === 'delivered'),
    'what came while it was open needed one attempt'
  )
  t.ok(receiver.requests.length >= tried + 20)
  const [webhook] = await sql`select failures, failing_since, status from webhooks.webhooks where id = ${id}`
  t.same({ ...webhook }, { failures: 0, failing_since: null, status: 'active' })
})

t.test('days of failures only disable the webhook, with the reason', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_DISABLE_AFTER: '3d', WEBHOOK_RETRY_SCHEDULE: '10ms' })
  const receiver = await startReceiver(t, () => 500)
  const [dead, new_] = [await createWebhook({ url: receiver.url }), await createWebhook({ url: `${receiver.url}/new` })]
  await sql`update webhooks.webhooks set failures = 20, failing_since = now() - interval '73 hours' where id = ${dead}`
  await append(completions(0, 1))

  await until(
    async () => (await sql`select from webhooks.webhooks where id = ${dead} and status = 'disabled'`).length === 1
  )
  const [webhook] = await sql`select disabled_reason from webhooks.webhooks where id = ${dead}`
  t.equal(webhook?.disabled_reason, 'Every attempt of the last 3 days failed')
  t.equal((await sql`select from webhooks.webhooks where id = ${new_} and status = 'active'`).length, 1)
})

t.test('a success resets the failures', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t)
  const id = await createWebhook({ url: receiver.url })
  await sql`update webhooks.webhooks set failures = 4, failing_since = now() - interval '6 days' where id = ${id}`
  await append(completions(0, 1))
  await until(
    async () => (
      await sql`select from webhooks.webhooks where id = ${id} and failures = 0 and failing_since is null`
    ).length === 1
  )
  t.equal(receiver.requests.length, 1)
})

t.test('deliveries of a paused webhook continue once it is active again, at its new url', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '1h' })
  const [old, moved] = [await startReceiver(t, () => 500), await startReceiver(t)]
  const id = await createWebhook({ url: old.url })
  await append(completions(0, 1))
  await until(async () => (await sql`select from webhooks.attempts`).length === 1)
  await sql`update webhooks.webhooks set status = 'paused' where id = ${id}`
  await append(completions(1, 2))
  await until(async () => (await sql`select from webhooks.events`).length === 2)
  await sql`update webhooks.deliveries set due_at = now()`
  await until(
    async () => (await sql`select from webhooks.deliveries where due_at < now() - interval '300 ms'`).length === 1
  )
  t.equal(old.requests.length, 1)

  await sql`update webhooks.webhooks set status = 'active', url = ${moved.url} where id = ${id}`
  await moved.waitFor(1)
  t.match(moved.requests[0]?.headers, { 'webhook-attempt': '2' })
  t.equal((await sql`select from webhooks.deliveries`).length, 1, 'while it was paused it received nothing')
})

t.test('pending deliveries of a deleted webhook close', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t, () => 500)
  const id = await createWebhook({ url: receiver.url })
  await append(completions(0, 1))
  await until(async () => (await sql`select from webhooks.attempts`).length === 1)
  await sql`update webhooks.webhooks set deleted_at = now() where id = ${id}`
  const [row] = await until(async () => {
    const rows = await sql`select reason from webhooks.deliveries where state = 'closed'`
    return rows.length === 1 && rows
  })
  t.equal(row?.reason, 'The webhook was deleted')
})
