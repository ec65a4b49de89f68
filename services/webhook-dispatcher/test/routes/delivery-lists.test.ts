import { randomUUID } from 'node:crypto'
import { tokenOf } from '@tidings/testing'
import t from 'tap'
import { setup } from './setup.ts'

const { call, sql } = await setup(t)
const newUser = () => `user-${randomUUID()}`
const operator = { headers: { authorization: `Bearer ${tokenOf('operator', { scope: 'operator:read' })}` } }

async function newWebhook (user: string, input: object = {}) {
  const { body } = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'https://example.com/hook', eventType: 'all', ...input } }
  )
  return body as { id: number }
}

let seq = 0

type Made = {
  user: string, webhookId: number, state?: string, type?: string, jobId?: string, queue?: string, createdAt?: string
}

/** A delivery of an event of its own. */
async function made ({
  user, webhookId, state = 'delivered', type = 'completed', jobId = randomUUID(), queue = 'default', createdAt
}: Made) {
  const at = createdAt ?? new Date().toISOString()
  const event = { ms: Date.parse(at), seq: seq++ }
  const key = `${queue}:${jobId}`
  await sql`
    insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
    values (${event.ms}, ${event.seq}, ${user}, ${type}, ${key}, ${JSON.stringify({ id: jobId, jobname: 'resize' })})`
  const [row] = await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, chain, state, finished_at, created_at)
    values (${webhookId}, ${event.ms}, ${event.seq}, ${type}, ${key}, ${state},
      case when ${state} <> 'pending' then now() end, ${at}) returning id`
  return { id: Number(row?.id), eventId: `${event.ms}-${event.seq}`, jobId, webhookId }
}

type Shown = { id: number, userId?: string }
type List = { deliveries: Shown[], pagination: { next: string | null, truncated?: true } }

const list = async (user: string, query = '') => (await call(`/deliveries${query}`, { user })).body as List
const idsOf = ({ deliveries }: List) => deliveries.map(({ id }) => id)
const idsIn = async (user: string, query: string) => idsOf(await list(user, query))

// Before all others, as ids grow with the time of creation.
const user = newUser()
const a = await newWebhook(user)
const b = await newWebhook(user)
const pending = await made({ user, webhookId: b.id, state: 'pending', createdAt: '2026-01-02T10:00:00.000Z' })

t.test('the deliveries of all webhooks of a user are listed, newest first, page by page', async t => {
  const user = newUser()
  const webhooks = [await newWebhook(user), await newWebhook(user, { url: 'https://example.org/other' })]
  const all = []
  for (let i = 0; i < 9; i++) all.unshift(await made({ user, webhookId: webhooks[i % 2]?.id as number }))
  const stranger = newUser()
  await made({ user: stranger, webhookId: (await newWebhook(stranger)).id })

  const page = await list(user)
  t.same(idsOf(page), all.map(({ id }) => id))
  t.same(page.pagination, { limit: 20, next: null })
  t.match(page.deliveries[0], {
    webhookId: webhooks[0]?.id, url: 'https://example.com/hook', jobId: all[0]?.jobId, queue: 'default', name: 'resize'
  })
  t.notOk(page.deliveries.some(delivery => 'userId' in delivery))

  const read: number[] = []
  for (let next: string | null = ''; next !== null;) {
    const one: List = await list(user, `?limit=4${next && `&cursor=${next}`}`)
    read.push(...idsOf(one))
    next = one.pagination.next
  }
  t.same(read, all.map(({ id }) => id))
})

t.test('each filter selects, alone and with others', async t => {
  const jobId = randomUUID()
  const failed = await made({ user, webhookId: a.id, state: 'failed', jobId })
  const progress = await made({ user, webhookId: a.id, type: 'progress', jobId, queue: 'reports' })
  const closed = await made({ user, webhookId: b.id, state: 'closed', type: 'failed' })
  const again = await call(`/deliveries/${failed.id}/redeliver`, { method: 'POST', user })
  const redelivery = { id: again.body.id as number }

  const expected: [query: string, found: { id: number }[]][] = [
    [`webhookId=${a.id}`, [redelivery, progress, failed]],
    [`webhookId=${a.id}&eventType=completed`, [redelivery, failed]],
    ['webhookId=999999', []],
    [`jobId=${jobId}`, [redelivery, progress, failed]],
    [`jobId=${jobId}&queue=default`, [redelivery, failed]],
    [`jobId=${jobId}&status=failed`, [failed]],
    [`jobId=${randomUUID()}`, []],
    ['queue=reports', [progress]],
    ['queue=default', [redelivery, pending, closed, failed]],
    [`eventId=${failed.eventId}`, [redelivery, failed]],
    [`eventId=${failed.eventId}&origin=redeliver`, [redelivery]],
    [`eventId=${failed.eventId}&webhookId=${b.id}`, []],
    ['eventId=1-1', []],
    ['eventType=progress', [progress]],
    ['eventType=progress,failed', [closed, progress]],
    ['status=failed', [failed]],
    ['status=failed,closed', [closed, failed]],
    ['status=pending', [redelivery, pending]],
    ['status=pending,failed', [redelivery, pending, failed]],
    ['status=delivered', [progress]],
    ['status=delivered,closed', [closed, progress]],
    ['status=superseded', []],
    ['origin=redeliver,replay', [redelivery]],
    [`originId=${failed.id}`, [redelivery]],
    [`originId=${failed.id}&origin=replay`, []],
    ['from=2026-01-02T10:00:00Z&to=2026-01-02T10:00:00.001Z', [pending]],
    ['from=2026-01-02&to=2026-01-03', [pending]],
    ['from=2026-01-02T11:00:00+01:00&to=2026-01-03', [pending]],
    ['to=2026-01-02T10:00:00Z', []],
    [`from=${pending.eventId}&to=2026-01-03`, [pending]],
    [`from=${Date.parse('2026-01-02')}&to=${Date.parse('2026-01-03')}`, [pending]],
    [`from=2026-01-03&status=pending&jobId=${jobId}&queue=default&eventType=completed`, [redelivery]]
  ]
  for (const [query, found] of expected) {
    const newestFirst = found.map(({ id }) => id).sort((a, b) => b - a)
    t.same(await idsIn(user, `?${query}`), newestFirst, query)
  }
  t.same(
    idsOf((await call(`/webhooks/${a.id}/deliveries?status=failed,closed&jobId=${jobId}`, { user })).body), [failed.id]
  )
  t.same(await idsIn(newUser(), `?jobId=${jobId}`), [], 'of another user')
  t.same(await idsIn(newUser(), `?eventId=${failed.eventId}`), [], 'of another user')
  t.same(await idsIn(newUser(), `?originId=${failed.id}`), [], 'of another user')
  t.same(await idsIn(newUser(), `?webhookId=${a.id}`), [], 'of another user')
})

t.test('deliveries of deleted webhooks stay in the list', async t => {
  const user = newUser()
  const { id: webhookId } = await newWebhook(user)
  const { id, jobId, eventId } = await made({ user, webhookId, state: 'failed' })
  await call(`/webhooks/${webhookId}`, { method: 'DELETE', user })
  for (const query of ['', `?webhookId=${webhookId}`, `?jobId=${jobId}`, `?eventId=${eventId}`, '?status=failed']) {
    t.same(await idsIn(user, query), [id], query)
  }
})

t.test('an operator reads the deliveries of a user, and of all users with their owners', async t => {
  const users = [newUser(), newUser()]
  const from = new Date().toISOString()
  const all = []
  for (const user of users) {
    all.unshift({ user, ...await made({ user, webhookId: (await newWebhook(user)).id, state: 'failed' }) })
  }
  const [newest] = all
  const read = async (query: string) => (await call(`/deliveries?${query}`, operator)).body as List
  t.same(idsOf(await read(`userId=${users[1]}`)), [newest?.id])
  const window = `userId=*&from=${from}`
  const expected = all.map(({ id, user }) => ({ id, userId: user }))
  for (const query of [window, `${window}&status=failed`, `${window}&eventType=completed`]) {
    t.match((await read(query)).deliveries, expected, query)
  }
  for (const query of [`jobId=${newest?.jobId}`, `eventId=${newest?.eventId}`, `webhookId=${newest?.webhookId}`]) {
    t.match((await read(`userId=*&${query}`)).deliveries, [{ id: newest?.id, userId: newest?.user }], query)
  }
  await sql`delete from webhooks.events where user_id = ${newest?.user as string}`
  t.same(idsOf(await read(`userId=*&eventId=${newest?.eventId}`)), [newest?.id], 'without its payload')
  t.equal((await call('/deliveries?userId=*', { user: newUser() })).status, 403)
  t.equal((await call(`/webhooks/${newest?.webhookId}/deliveries?userId=*`, operator)).status, 400)
})

t.test('a search that finds few says where it stopped, and continues there', async t => {
  const user = newUser()
  const { id: webhookId } = await newWebhook(user)
  const oldest = await made({ user, webhookId, type: 'failed' })
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, finished_at)
    select ${webhookId}, 1, n, 'progress', 'delivered', now() from generate_series(1, 12000) n`
  const first = await list(user, '?eventType=failed')
  t.match([first.deliveries, first.pagination.truncated], [[], true])
  const second = await list(user, `?eventType=failed&cursor=${first.pagination.next}`)
  t.same(idsOf(second), [oldest.id])
  t.equal(second.pagination.next, null)
  t.notOk('truncated' in second.pagination)
  t.same(await idsIn(user, '?status=failed'), [], 'an index lists these')
})

t.test('the deliveries of more webhooks than are read at a time are listed', async t => {
  const { call, sql } = await setup(t)
  const user = newUser()
  await sql`
    insert into webhooks.webhooks (user_id, url, event_type, since_ms, since_seq, created_at, deleted_at)
    select ${user}, 'https://example.com', 'all', 0, 0, to_timestamp(n * 60), to_timestamp(n * 60 + 50)
    from generate_series(1, 1200) n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, created_at, finished_at)
    select id, 86400000, row_number() over (order by id), 'completed', 'delivered', created_at + interval '1 second', now()
    from webhooks.webhooks where user_id = ${user} order by id`
  const read: number[] = []
  let pages = 0
  for (let next: string | null = ''; next !== null; pages++) {
    const { body } = await call(`/deliveries?limit=100${next && `&cursor=${next}`}`, { user })
    const page = body as List
    read.push(...idsOf(page))
    next = page.pagination.next
  }
  t.equal(new Set(read).size, 1200)
  t.same(read, read.toSorted((a, b) => b - a))
  t.ok(pages <= 20, `${pages} pages`)
})

t.test('an invalid filter is reported with its path', async t => {
  const user = newUser()
  const queries = [
    'status=lost', 'status=failed,', 'status=failed,lost', 'eventType=added', 'origin=x', 'from=yesterday',
    'from=2026-13-01', 'to=1640995200.5', 'eventId=1', 'webhookId=0', 'webhookId=x', 'originId=1.5', 'jobId=a%00',
    'queue=a:b', 'cursor=0', 'cursor=9999999999999999', 'limit=101', 'page=1'
  ]
  for (const query of queries) {
    const { status, body } = await call(`/deliveries?${query}`, { user })
    t.match([status, body.errors?.[0]?.path], [400, `querystring.${query.split('=')[0]}`], query)
  }
  const empty = ['status', 'eventType', 'origin', 'from', 'to', 'eventId', 'jobId', 'queue', 'cursor']
  t.equal((await call(`/deliveries?${empty.map(name => `${name}=`).join('&')}`, { user })).status, 200)
})
