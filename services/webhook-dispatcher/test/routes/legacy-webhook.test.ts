import { randomUUID } from 'node:crypto'
import t from 'tap'
import { setup } from './setup.ts'

const { call, app, sql } = await setup(t, { WEBHOOK_MAX_PER_USER: '2' })
const newUser = () => `user-${randomUUID()}`
const webhookUrl = 'https://example.com/legacy'

t.test('a legacy URL is set, shown, changed and removed', async t => {
  const user = newUser()
  t.equal((await call('/webhooks/legacy', { user })).status, 404)
  const put = await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })
  t.match([put.status, put.body], [200, { webhookUrl, status: 'active', disabledReason: null }])
  t.same((await call('/webhooks/legacy', { user })).body, put.body)
  t.same((await call('/webhooks', { user })).body, { webhooks: [] }, 'it is none of the webhooks')
  const [target] = await sql`select ciphertexts from webhooks.targets where user_id = ${user}`
  t.equal(target?.ciphertexts.length, 1, 'its deliveries are signed even before its secret was requested')

  const changed = await call(
    '/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl: 'https://example.com/other' } }
  )
  t.match(changed.body, { webhookUrl: 'https://example.com/other', createdAt: put.body.createdAt })
  t.equal((await sql`select from webhooks.webhooks where user_id = ${user}`).length, 1)
  t.equal((await call('/webhooks/legacy', { user: newUser() })).status, 404)

  t.equal((await call('/webhooks/legacy', { method: 'DELETE', user })).status, 204)
  t.equal((await call('/webhooks/legacy', { method: 'DELETE', user })).status, 404)
  t.equal((await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })).status, 200, 'and set again')
})

t.test('a malformed or forbidden one is named', async t => {
  for (const body of [{ webhookUrl: 'nope' }, { webhookUrl: 'ftp://example.com/' }, { webhookUrl: 'http://169.254.169.254/' }, {}]) {
    const { status, body: problem } = await call('/webhooks/legacy', { method: 'PUT', user: newUser(), body })
    t.match([status, problem.errors?.[0]?.path], [400, 'body.webhookUrl'], JSON.stringify(body))
  }
  t.equal(
    (await call('/webhooks/legacy', { method: 'PUT', user: newUser(), body: { webhookUrl, active: true } })).status, 400
  )
})

t.test('the legacy secret is made when it is first asked for, once', async t => {
  const user = newUser()
  const answers = await Promise.all(Array.from({ length: 5 }, () => call('/webhooks/legacy/secret', { user })))
  t.equal(new Set(answers.map(({ body }) => body.secret)).size, 1)
  t.match(answers[0]?.body.secret, /^whsec_/)
  t.not((await call('/webhooks/legacy/secret', { user: newUser() })).body.secret, answers[0]?.body.secret)
})

t.test('it is rotated as others are', async t => {
  const user = newUser()
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })
  const { body: { secret: old } } = await call('/webhooks/legacy/secret', { user })
  const rotated = await Promise.all(
    Array.from({ length: 2 }, () => call('/webhooks/legacy/rotate-secret', { method: 'POST', user }))
  )
  t.same(rotated.map(({ status }) => status), [200, 200])
  const [target] = await sql`select ciphertexts from webhooks.targets where user_id = ${user}`
  const signing = target?.ciphertexts.map(app.secretBox.open) as string[]
  t.equal((await call('/webhooks/legacy/secret', { user })).body.secret, signing[0])
  t.same([signing.length, signing.at(-1)], [3, old])
})

t.test('its deliveries are listed', async t => {
  const user = newUser()
  t.same((await call('/webhooks/legacy/deliveries', { user })).body.deliveries, [])
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })
  const [webhook] = await sql`select id from webhooks.webhooks where user_id = ${user}`
  await sql`insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, finished_at) values (${webhook?.id}, 1, 1, 'completed', 'delivered', now())`
  const { status, body } = await call('/webhooks/legacy/deliveries?status=delivered', { user })
  t.match([status, body.deliveries], [200, [{ webhookId: webhook?.id, eventId: '1-1', status: 'delivered' }]])
})

t.test('deliveries to the webhookUrls of jobs are listed among them, page by page', async t => {
  const user = newUser()
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })
  await call('/webhooks', { method: 'POST', user, body: { url: webhookUrl, eventType: 'all' } })
  await sql`
    insert into webhooks.webhooks (user_id, kind, url, event_type, since_ms, since_seq)
    select ${user}, 'job', 'https://example.com/job/' || n, 'completed', 0, 0 from generate_series(1, 3) as n`
  await sql`
    insert into webhooks.deliveries (webhook_id, event_ms, event_seq, type, state, finished_at)
    select w.id, n, w.id, 'completed', case when n = 4 then 'failed' else 'delivered' end, now()
    from generate_series(1, 4) as n, webhooks.webhooks w where w.user_id = ${user} order by n, w.id`
  const wanted = (await sql`
    select d.id from webhooks.deliveries d join webhooks.webhooks w on w.id = d.webhook_id
    where w.user_id = ${user} and w.kind <> 'own' order by d.id desc`).map(({ id }) => Number(id))
  const list = async (query: string) => (await call(`/webhooks/legacy/deliveries?${query}`, { user })).body
  const idsOf = ({ deliveries }: { deliveries: { id: number }[] }) => deliveries.map(({ id }) => id)

  const pages = []
  let next: string | null = ''
  while (next !== null) {
    const page: {
      deliveries: { id: number }[], pagination: { next: string | null }
    } = await list(`limit=5${next && `&cursor=${next}`}`)
    pages.push(idsOf(page))
    next = page.pagination.next
  }
  t.same([wanted.length, pages.map(page => page.length)], [16, [5, 5, 5, 1]])
  t.same(pages.flat(), wanted)
  t.same(idsOf(await list('status=failed')), wanted.slice(0, 4))
  t.same((await call('/webhooks/legacy/deliveries', { user: newUser() })).body.deliveries, [])
})

t.test('migrated it is a webhook like others, with the secret that its receiver knows', async t => {
  const user = newUser()
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })
  const { body: { secret } } = await call('/webhooks/legacy/secret', { user })
  const migrated = await call('/webhooks/legacy/migrate', { method: 'POST', user })
  t.match([migrated.status, migrated.body], [201, { url: webhookUrl, eventType: 'completed', active: true, secret }])
  t.equal(migrated.headers.location, `/webhooks/${migrated.body.id}`)
  t.equal((await call('/webhooks/legacy', { user })).status, 404)
  t.equal((await call(`/webhooks/${migrated.body.id}/secret`, { user })).body.secret, secret)
  const [target] = await sql`select ciphertexts from webhooks.targets where id = ${migrated.body.id}`
  t.same(target?.ciphertexts.map(app.secretBox.open), [secret])
  t.equal((await call('/webhooks/legacy/secret', { user })).body.secret, secret, 'jobs\' own URLs go on with it')
  t.equal((await call('/webhooks/legacy/migrate', { method: 'POST', user })).status, 404)
})

t.test('a user at the limit of webhooks can\'t migrate', async t => {
  const user = newUser()
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl } })
  for (let i = 0; i < 2; i++) {
    await call('/webhooks', { method: 'POST', user, body: { url: webhookUrl, eventType: 'all' } })
  }
  t.equal((await call('/webhooks/legacy/migrate', { method: 'POST', user })).status, 409)
  t.equal((await call('/webhooks/legacy', { user })).status, 200)
})
