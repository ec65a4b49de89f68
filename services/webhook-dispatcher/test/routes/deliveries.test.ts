import { randomUUID } from 'node:crypto'
import { startReceiver, until } from '@tidings/testing'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { setup } from './setup.ts'

const { call, sql } = await setup(t)
const newUser = () => `user-${randomUUID()}`

async function newWebhook (user: string, input: object = {}) {
  const { body } = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'https://example.com/hook', eventType: 'all', ...input } }
  )
  return body as { id: number, secret: string }
}

let seq = 0

/** A delivery that has ended, of an event of its own. */
async function ended (user: string, webhookId: number, state = 'failed') {
  const event = { ms: Date.now(), seq: seq++ }
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    values (${event.ms}, ${event.seq}, ${user}, 'completed', 'default:1', '{"id":"1","eventType":"completed"}')`
  const [row] = await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, attempts, status, error_class, finished_at)
    values (${webhookId}, ${event.ms}, ${event.seq}, 'completed', 'default:1', ${state}, 2, 500, 'http-5xx', now()) returning id`
  return { id: Number(row?.id), eventId: `${event.ms}-${event.seq}` }
}

t.test('deliveries are listed newest first, page by page and by status', async t => {
  const user = newUser()
  const { id } = await newWebhook(user)
  const made = []
  for (let i = 0; i < 7; i++) made.unshift(await ended(user, id, i % 2 === 0 ? 'delivered' : 'failed'))
  const list = async (query: string) => (await call(`/webhooks/${id}/deliveries${query}`, { user })).body

  const all = await list('')
  t.same(all.deliveries.map(({ id }: { id: number }) => id), made.map(({ id }) => id))
  t.same(all.pagination, { limit: 20, next: null })
  const [first] = all.deliveries
  t.match(first, {
    id: made[0]?.id,
    webhookId: id,
    eventId: made[0]?.eventId,
    eventType: 'completed',
    origin: 'event',
    originId: null,
    status: 'delivered',
    attemptCount: 2,
    nextAttemptAt: null,
    statusCode: 500,
    errorClass: 'http-5xx',
    reason: null
  })

  const pages = []
  let next: string | null = ''
  while (next !== null) {
    const page: {
      deliveries: { id: number }[], pagination: { next: string | null }
    } = await list(`?limit=3${next && `&cursor=${next}`}`)
    pages.push(page.deliveries.map(({ id }) => id))
    next = page.pagination.next
  }
  t.same(pages.map(page => page.length), [3, 3, 1])
  t.same(pages.flat(), made.map(({ id }) => id))
  t.equal((await list('?status=failed')).deliveries.length, 3)
  t.equal((await list('?status=pending')).deliveries.length, 0)
})

t.test('when a delivery is tried next follows from its webhook, too', async t => {
  const user = newUser()
  const { id } = await newWebhook(user, { active: false })
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, due_at)
    values (${id}, 1, 1, 'completed', 'pending', '2040-01-02T00:00:00Z'), (${id}, 1, 2, 'completed', 'pending', '2040-01-04T00:00:00Z')`
  const next = async () => (await call(`/webhooks/${id}/deliveries`, { user })).body.deliveries.map(
    ({ nextAttemptAt }: { nextAttemptAt: string }) => nextAttemptAt
  )
  t.same(await next(), [null, null])
  await sql`update webhooks.webhooks set status = 'active', open_until = '2040-01-03T00:00:00Z' where id = ${id}`
  t.same(await next(), ['2040-01-04T00:00:00.000Z', '2040-01-03T00:00:00.000Z'])
})

t.test('a page of rare deliveries is found by an index, not by looking through all', async t => {
  const user = newUser()
  const { id } = await newWebhook(user)
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, finished_at)
    select ${id}, 1, n, 'completed', case when n % 2000 = 0 then 'failed' else 'delivered' end, now() from generate_series(1, 20000) n`
  await sql`analyze webhooks.deliveries`
  const plan = await sql`explain select * from webhooks.deliveries where webhook_id = ${id} and state = 'failed' order by id desc limit 21`
  t.match(plan.map(row => row['QUERY PLAN']).join('\n'), /unhappy_deliveries/)
})

t.test('an invalid query is reported with its path', async t => {
  const user = newUser()
  const { id } = await newWebhook(user)
  for (const query of ['limit=1000', 'limit=0', 'limit=2.5', 'limit=1e1', 'status=foo', 'cursor=x', 'page=2']) {
    const { status, body } = await call(`/webhooks/${id}/deliveries?${query}`, { user })
    t.match([status, body.errors?.[0]?.path], [400, `querystring.${query.split('=')[0]}`], query)
  }
  t.equal(
    (await call(`/webhooks/${id}/deliveries?status=&cursor=`, { user })).status,
    200,
    'a form in which nothing was filled in'
  )
})

t.test('a delivery shows its payload and its attempts', async t => {
  const user = newUser()
  const webhook = await newWebhook(user)
  const { id } = await ended(user, webhook.id)
  await sql`
    insert into webhooks.attempts (delivery_id, n, started_at, connect_ms, ttfb_ms, total_ms, status, error_class, message, response_headers, response_body)
    values (${id}, 1, now(), 3, 4, 9, 500, 'http-5xx', 'Answered 500', '{"server":"x"}', 'oh no'), (${id}, 2, now(), null, null, 10000, null, 'timeout', 'No answer', null, null)`
  const { status, body } = await call(`/deliveries/${id}`, { user })
  t.equal(status, 200)
  t.match(body, { id, status: 'failed', payload: { id: '1', eventType: 'completed' } })
  t.match(body.attempts, [
    {
      attempt: 1,
      durations: { dnsMs: null, connectMs: 3, ttfbMs: 4, totalMs: 9 },
      statusCode: 500,
      errorClass: 'http-5xx',
      message: 'Answered 500',
      responseHeaders: { server: 'x' },
      responseBody: 'oh no'
    },
    {
      attempt: 2,
      durations: { totalMs: 10_000 },
      statusCode: null,
      errorClass: 'timeout',
      responseHeaders: null,
      responseBody: null
    }
  ])
  await sql`delete from webhooks.events where user_id = ${user}`
  t.equal((await call(`/deliveries/${id}`, { user })).body.payload, null, 'that is no longer kept')
})

t.test('deliveries of others are as those that don\'t exist', async t => {
  const user = newUser()
  const other = newUser()
  const webhook = await newWebhook(user)
  const { id } = await ended(user, webhook.id)
  const asked = [
    await call(`/deliveries/${id}`, { user: other }),
    await call(`/deliveries/${id}/redeliver`, { user: other, method: 'POST' }),
    await call(`/webhooks/${webhook.id}/deliveries`, { user: other }),
    await call(`/webhooks/${webhook.id}/test`, { user: other, method: 'POST' }),
    await call(
      `/webhooks/${webhook.id}/replay`, { user: other, method: 'POST', body: { since: new Date().toISOString() } }
    ),
    await call(`/webhooks/${webhook.id}/replays/1`, { user: other }),
    await call('/deliveries/999999999', { user })
  ]
  t.same(asked.map(({ status }) => status), asked.map(() => 404))
})

t.test('a test arrives signed, and its delivery shows that', async t => {
  const receiver = await startReceiver(t)
  for (const [eventType, sentType] of [['all', 'completed'], ['progress', 'progress'], ['failed', 'failed']]) {
    const user = newUser()
    const { id, secret } = await newWebhook(user, { url: receiver.url, eventType, headers: { 'X-Team': 'blue' } })
    const sent = await call(`/webhooks/${id}/test`, { method: 'POST', user })
    t.match([sent.status, sent.body], [202, { webhookId: id, origin: 'test', eventType: sentType }])
    const received = await until(
      () => receiver.requests.find(({ headers }) => headers['webhook-id'] === sent.body.eventId),
      { what: 'the test to arrive' }
    )
    t.match(
      new Webhook(secret).verify(received.body, received.headers as Record<string, string>),
      { id: 'test', jobname: 'test', userId: user, eventType: sentType }
    )
    t.equal(received.headers['x-team'], 'blue')
    const shown = await until(async () => {
      const { body } = await call(sent.headers.location as string, { user })
      return body.status === 'delivered' && body
    })
    t.match(shown, { payload: { id: 'test' }, attempts: [{ attempt: 1, statusCode: 200, errorClass: null }] })
  }
})

t.test('a webhook that is not active is not tested', async t => {
  const user = newUser()
  const { id } = await newWebhook(user, { active: false })
  const { status, body } = await call(`/webhooks/${id}/test`, { method: 'POST', user })
  t.match([status, body.detail], [409, 'The webhook is paused: make it active first'])
})

t.test('a delivery is repeated as often as requested, under the same webhook-id', async t => {
  const user = newUser()
  const receiver = await startReceiver(t)
  const webhook = await newWebhook(user, { url: receiver.url })
  for (const state of ['delivered', 'failed', 'superseded', 'closed']) {
    const { id, eventId } = await ended(user, webhook.id, state)
    const first = await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })
    t.match(
      [first.status, first.body],
      [202, { webhookId: webhook.id, eventId, origin: 'redeliver', originId: id, status: 'pending', attemptCount: 0 }],
      state
    )
    await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })
    await receiver.waitFor(requests => requests.filter(({ headers }) => headers['webhook-id'] === eventId).length === 2)
    const again = await until(async () => {
      const answer = await call(`/deliveries/${first.body.id}/redeliver`, { method: 'POST', user })
      return answer.status === 202 && answer
    })
    t.equal(again.body.originId, id, 'of the delivery that all began with')
  }
})

t.test('a refused redelivery names the reason', async t => {
  const user = newUser()
  const webhook = await newWebhook(user, { active: false })
  const { id } = await ended(user, webhook.id)
  const again = await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })
  t.equal(again.status, 202, 'a paused webhook gets it later')
  t.equal((await call(`/deliveries/${again.body.id}/redeliver`, { method: 'POST', user })).status, 409, 'still pending')
  await sql`update webhooks.webhooks set status = 'disabled' where id = ${webhook.id}`
  t.equal((await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })).status, 409, 'disabled')
  await sql`delete from webhooks.events where user_id = ${user}`
  t.equal((await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })).status, 410, 'its payload is gone')
})

t.test('a job\'s own webhookUrl that was disabled is made active by a redelivery', async t => {
  const user = newUser()
  const receiver = await startReceiver(t)
  await call('/webhooks/legacy/secret', { user })
  const [webhook] = await sql<{ id: number }[]>`
    insert into webhooks.webhooks (user_id, kind, url, event_type, status, disabled_reason, since_ms, since_seq)
    values (${user}, 'job', ${receiver.url}, 'completed', 'disabled', 'The endpoint answered 410 Gone', 0, 0) returning id`
  const { id, eventId } = await ended(user, webhook?.id as number, 'closed')
  t.equal((await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })).status, 202)
  t.equal((await receiver.waitFor(1))[0]?.headers['webhook-id'], eventId)
})

t.test('a replay is recorded', async t => {
  const user = newUser()
  const webhook = await newWebhook(user, { active: false })
  await ended(user, webhook.id)
  const newest = await ended(user, webhook.id)
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const asked = await call(`/webhooks/${webhook.id}/replay`, { method: 'POST', user, body: { since } })
  t.match([asked.status, asked.body], [202, { webhookId: webhook.id, deliveries: 0 }])
  const [row] = await sql`select at_ms, at_seq, until_ms, until_seq from webhooks.replay_requests where id = ${asked.body.id}`
  t.equal(`${row?.until_ms}-${row?.until_seq}`, newest.eventId)
  t.match((await call(asked.headers.location as string, { user })).body, { id: asked.body.id })
  t.equal((await call(`/webhooks/${webhook.id}/replays/999`, { user })).status, 404)
})

t.test('a replay of nothing is finished at once', async t => {
  const user = newUser()
  const webhook = await newWebhook(user)
  const { body } = await call(
    `/webhooks/${webhook.id}/replay`, { method: 'POST', user, body: { since: new Date().toISOString() } }
  )
  t.match(body, { status: 'finished', deliveries: 0 })
  t.type(body.finishedAt, 'string')
})

t.test('since is a time or an event id of the last 14 days', async t => {
  const user = newUser()
  const webhook = await newWebhook(user)
  const replay = async (since: unknown) => await call(
    `/webhooks/${webhook.id}/replay`, { method: 'POST', user, body: { since } }
  )
  const days = (count: number) => Date.now() - count * 86_400_000
  for (const since of [new Date(days(15)).toISOString(), new Date(days(-1)).toISOString(), `${days(15)}-0`, `${days(-1)}-0`, 'yesterday', 1640995200000, '1-2-3', null]) {
    const { status, body } = await replay(since)
    t.match([status, body.errors?.[0]?.path], [400, 'body.since'], String(since))
  }
  for (const since of [new Date(days(13)).toISOString(), `${days(13)}-0`]) t.equal((await replay(since)).status, 202, since)
})

t.test('a delivery shows its job: listed, alone, repeated, without its payload, of a deleted webhook', async t => {
  const user = newUser()
  const { id: webhookId } = await newWebhook(user, { url: 'http://127.0.0.1:9' })
  const { id } = await ended(user, webhookId)
  const [event] = await sql`select event_ms, event_seq from webhooks.deliveries where id = ${id}`
  const about = async (body: string) => await sql`
    update webhooks.events set chain = 'reports:a:1', body = ${body} where event_ms = ${event?.event_ms} and event_seq = ${event?.event_seq}`
  await sql`update webhooks.deliveries set chain = 'reports:a:1' where id = ${id}`
  await about('{"id":"a:1","jobname":"say \\"hi\\"","userId":1,"result":"x","eventType":"completed"}')
  const job = { jobId: 'a:1', queue: 'reports', name: 'say "hi"' }
  t.match((await call(`/deliveries/${id}`, { user })).body, { ...job, redeliveryBlockedBy: null })
  t.match((await call(`/webhooks/${webhookId}/deliveries`, { user })).body.deliveries, [job])
  const again = await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })
  t.match(again.body, job)
  t.match((await call(`/deliveries/${again.body.id}`, { user })).body, job)
  t.match(
    (await call(`/webhooks/${webhookId}/test`, { method: 'POST', user })).body, { jobId: null, queue: null, name: null }
  )

  await call(`/webhooks/${webhookId}`, { method: 'DELETE', user })
  t.match(
    (await call(`/deliveries/${id}`, { user })).body, { ...job, webhookId, redeliveryBlockedBy: 'webhook-deleted' })
  t.equal((await call(`/deliveries/${id}/redeliver`, { method: 'POST', user })).status, 409)
  await sql`delete from webhooks.events where event_ms = ${event?.event_ms} and event_seq = ${event?.event_seq}`
  t.match((await call(`/deliveries/${id}`, { user })).body, { ...job, name: null })
})
