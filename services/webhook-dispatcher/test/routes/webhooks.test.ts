import { randomUUID } from 'node:crypto'
import { startReceiver } from '@tidings/testing'
import t from 'tap'
import { setup } from './setup.ts'

const { call, app, sql, redis } = await setup(t)
/** One that delivers over the internet alone. */
const strict = await setup(
  t, { WEBHOOK_REQUIRE_HTTPS: 'true', WEBHOOK_PORTS: '443,8443', WEBHOOK_ALLOW_PRIVATE: 'false' }
)

/** A user whom no other test knows. */
const newUser = () => `user-${randomUUID()}`

const hook = { url: 'https://example.com/webhook', eventType: 'completed', description: 'Job completion webhook' }

t.test('a webhook is created as the document shows, with its secret', async t => {
  const user = newUser()
  const created = await call('/webhooks', { method: 'POST', user, body: hook })
  t.equal(created.status, 201)
  t.equal(created.headers.location, `/webhooks/${created.body.id}`)
  const { secret, ...webhook } = created.body
  t.match(secret, /^whsec_[\w+/]{43}=$/)
  t.same(webhook, {
    id: webhook.id,
    ...hook,
    eventTypes: ['completed'],
    filter: {},
    active: true,
    status: 'active',
    disabledReason: null,
    health: { circuit: 'closed', failures: 0, failingSince: null, openUntil: null, nextAttemptAt: null },
    headers: {},
    progressMode: 'all',
    createdAt: webhook.createdAt,
    updatedAt: webhook.updatedAt
  })
  t.ok(Number.isInteger(webhook.id))
  t.equal(new Date(webhook.createdAt).toISOString(), webhook.createdAt)

  t.same((await call('/webhooks', { user })).body, { webhooks: [webhook] }, 'the list holds it without its secret')
  t.same((await call(`/webhooks/${webhook.id}`, { user })).body, webhook)
})

t.test('the secret is not in the database as it is', async t => {
  const { body } = await call('/webhooks', { method: 'POST', user: newUser(), body: hook })
  const [row] = await sql`select ciphertext from webhooks.secrets where webhook_id = ${body.id}`
  t.notOk(row?.ciphertext.includes(body.secret.slice(6)))
  t.equal(app.secretBox.open(row?.ciphertext), body.secret)
})

t.test('without a description, and with everything', async t => {
  const user = newUser()
  const bare = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'http://127.0.0.1:3000/hook', eventType: 'all' } }
  )
  t.same([bare.status, bare.body.description], [201, null])
  const full = {
    ...hook, active: false, headers: { Authorization: 'Bearer mine', 'X-Team': 'blue' }, progressMode: 'latest'
  }
  const { status, body } = await call('/webhooks', { method: 'POST', user, body: full })
  t.match([status, body], [201, { ...full, headers: { Authorization: '••••', 'X-Team': '••••' }, status: 'paused' }])
})

t.test('an update changes what it names', async t => {
  const user = newUser()
  const { body: { id } } = await call('/webhooks', { method: 'POST', user, body: hook })
  const { body: before } = await call(`/webhooks/${id}`, { user })
  const changed = await call(
    `/webhooks/${before.id}`, { method: 'PUT', user, body: { url: 'https://example.com/new-webhook' } }
  )
  t.equal(changed.status, 200)
  t.same(changed.body, { ...before, url: 'https://example.com/new-webhook', updatedAt: changed.body.updatedAt })
  t.ok(changed.body.updatedAt > before.updatedAt)
  const seed = {
    url: 'https://example.com/new-webhook', eventType: 'all', description: 'Updated webhook', active: false
  }
  t.match(
    (await call(`/webhooks/${before.id}`, { method: 'PUT', user, body: seed })).body, { ...seed, status: 'paused' }
  )
  t.match(
    (await call(`/webhooks/${before.id}`, { method: 'PUT', user, body: { active: true } })).body,
    { active: true, status: 'active', eventType: 'all' }
  )
})

t.test('a disabled webhook shows why, stays disabled when paused, and is healthy again when reactivated', async t => {
  const user = newUser()
  const { body: { id } } = await call('/webhooks', { method: 'POST', user, body: hook })
  await sql`update webhooks.webhooks set status = 'disabled', disabled_reason = 'Answered 410', failing_since = now(), failures = 7, open_until = now() where id = ${id}`
  t.match(
    (await call(`/webhooks/${id}`, { user })).body,
    { active: false, status: 'disabled', disabledReason: 'Answered 410' }
  )
  t.match(
    (await call(`/webhooks/${id}`, { method: 'PUT', user, body: { active: false } })).body,
    { status: 'disabled', disabledReason: 'Answered 410' }
  )
  t.match(
    (await call(`/webhooks/${id}`, { method: 'PUT', user, body: { active: true } })).body,
    { active: true, status: 'active', disabledReason: null }
  )
  const [row] = await sql`select failing_since, failures, open_until from webhooks.webhooks where id = ${id}`
  t.same({ ...row }, { failing_since: null, failures: 0, open_until: null })
})

t.test('a new URL begins without the failures of the old one', async t => {
  const user = newUser()
  const { body: { id } } = await call('/webhooks', { method: 'POST', user, body: hook })
  await sql`update webhooks.webhooks set failing_since = now(), failures = 7, open_until = now() where id = ${id}`
  await call(`/webhooks/${id}`, { method: 'PUT', user, body: { description: 'same' } })
  t.match(await sql`select failures from webhooks.webhooks where id = ${id}`, [{ failures: 7 }])
  await call(`/webhooks/${id}`, { method: 'PUT', user, body: { url: 'https://example.com/new' } })
  t.match(
    await sql`select failing_since, failures, open_until from webhooks.webhooks where id = ${id}`,
    [{ failing_since: null, failures: 0, open_until: null }]
  )
})

t.test('each change is later than the one before, whatever the clock of Postgres says', async t => {
  const user = newUser()
  const { body: { id } } = await call('/webhooks', { method: 'POST', user, body: hook })
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl: hook.url } })
  await sql`update webhooks.webhooks set updated_at = '2040-01-01T00:00:00Z' where user_id = ${user}`
  t.equal(
    (await call(`/webhooks/${id}`, { method: 'PUT', user, body: { active: false } })).body.updatedAt,
    '2040-01-01T00:00:00.001Z'
  )
  t.equal(
    (await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl: hook.url } })).body.updatedAt,
    '2040-01-01T00:00:00.001Z'
  )
})

t.test('a deleted webhook is gone', async t => {
  const user = newUser()
  const { body: { id } } = await call('/webhooks', { method: 'POST', user, body: hook })
  const deleted = await call(`/webhooks/${id}`, { method: 'DELETE', user })
  t.same([deleted.status, deleted.body], [204, undefined])
  for (const method of ['GET', 'DELETE'] as const) t.equal((await call(`/webhooks/${id}`, { method, user })).status, 404)
  t.equal((await call(`/webhooks/${id}`, { method: 'PUT', user, body: { active: false } })).status, 404)
  t.same((await call('/webhooks', { user })).body, { webhooks: [] })
})

t.test('another user\'s webhook is as one that does not exist', async t => {
  const { body: { id } } = await call('/webhooks', { method: 'POST', user: newUser(), body: hook })
  const other = newUser()
  t.same((await call('/webhooks', { user: other })).body, { webhooks: [] })
  const asked = [
    await call(`/webhooks/${id}`, { user: other }),
    await call(`/webhooks/${id}`, { user: other, method: 'PUT', body: { active: false } }),
    await call(`/webhooks/${id}`, { user: other, method: 'DELETE' }),
    await call('/webhooks/2147483647', { user: other })
  ]
  for (const { status, headers, body } of asked) {
    t.match(
      [status, headers['content-type'], body.type],
      [404, /^application\/problem\+json/, 'urn:tidings:problem:webhook-not-found']
    )
  }
})

t.test('user 7 and user "7" are one', async t => {
  const { body: { id } } = await call('/webhooks', { method: 'POST', user: 7, body: hook })
  t.equal((await call(`/webhooks/${id}`, { user: '7' })).status, 200)
})

t.test('without a valid token there is nothing', async t => {
  for (const authorization of ['', 'Bearer nonsense', 'Basic YTpi']) {
    const { status, headers } = await call('/webhooks', { headers: { authorization } })
    t.match([status, headers['www-authenticate']], [401, /^Bearer/])
  }
})

t.test('each fault of the input is named with its path', async t => {
  const faults: [unknown, string[]][] = [
    [{ ...hook, url: 'not a url' }, ['body.url']],
    [{ ...hook, url: '/relative' }, ['body.url']],
    [{ ...hook, url: 'ftp://example.com/' }, ['body.url']],
    [{ ...hook, url: 'https://user:secret@example.com/' }, ['body.url']],
    [{ ...hook, url: 'http://169.254.169.254/latest/meta-data' }, ['body.url']],
    [{ ...hook, url: `https://example.com/${'x'.repeat(2048)}` }, ['body.url']],
    [{ ...hook, url: 7 }, ['body.url']],
    [{ eventType: 'all' }, ['body.url']],
    [{ ...hook, eventType: 'foo' }, ['body.eventType']],
    [{ ...hook, active: 'true' }, ['body.active']],
    [{ ...hook, description: 'a\0b' }, ['body.description']],
    [{ ...hook, userId: 2 }, ['body.userId']],
    [{ ...hook, progressMode: 'some' }, ['body.progressMode']],
    [
      { ...hook, headers: { 'webhook-id': 'mine', Host: 'evil', 'X-A': 'a', 'x-a': 'b' } },
      ['body.headers.webhook-id', 'body.headers.Host', 'body.headers.x-a']
    ],
    [
      { ...hook, headers: { 'X-Evil': 'a\r\nX-More: b', 'a b': 'c', 'X-Ü': 'd', 'X-Nul': '\0' } },
      ['body.headers.X-Evil', 'body.headers.a b', 'body.headers.X-Ü', 'body.headers.X-Nul']
    ],
    [{ ...hook, headers: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`X-${i}`, ''])) }, ['body.headers']],
    [{ ...hook, headers: { 'X-Long': 'x'.repeat(4096) } }, ['body.headers']],
    [{ ...hook, url: 'ftp://example.com/', headers: { Host: 'evil' } }, ['body.url', 'body.headers.Host']]
  ]
  for (const [body, paths] of faults) {
    const response = await call('/webhooks', { method: 'POST', user: newUser(), body })
    t.match(
      [response.status, response.headers['content-type']],
      [400, /^application\/problem\+json/],
      JSON.stringify(body).slice(0, 100)
    )
    t.same(response.body.errors?.map(({ path }: { path: string }) => path), paths, JSON.stringify(response.body.errors))
  }
})

t.test('what is no JSON, too large, of another type or has a malformed id is refused', async t => {
  const user = newUser()
  t.equal((await call('/webhooks', { method: 'POST', user, body: '{' })).status, 400)
  t.equal((
    await call('/webhooks', { method: 'POST', user, body: { ...hook, description: 'x'.repeat(2 * 1024 * 1024) } })
  ).status, 413)
  t.equal((
    await call('/webhooks', { method: 'POST', user, body: 'url=x', headers: { 'content-type': 'text/plain' } })
  ).status, 415)
  for (const id of ['abc', '0', '-1', '99999999999', '1.5', '1e3', '0x10', '%201']) {
    const { status, body } = await call(`/webhooks/${id}`, { user })
    t.same([status, body.errors?.[0]?.path], [400, 'params.id'], id)
  }
  const { body: { id } } = await call('/webhooks', { method: 'POST', user, body: hook })
  for (const body of [{}, { url: 'nope' }, { id: 3 }, { status: 'active' }]) t.equal((await call(`/webhooks/${id}`, { method: 'PUT', user, body })).status, 400)
})

t.test('a user has at most 50 webhooks, however many are asked for at once', async t => {
  const user = newUser()
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => call('/webhooks', { method: 'POST', user, body: hook }))
  )
  t.equal(answers.filter(({ status }) => status === 201).length, 50)
  t.equal(
    answers.filter(({ status, body }) => status === 409 && body.detail === 'A user has at most 50 webhooks').length, 10
  )
  const [first] = (await call('/webhooks', { user })).body.webhooks
  await call(`/webhooks/${first.id}`, { method: 'DELETE', user })
  t.equal((await call('/webhooks', { method: 'POST', user, body: hook })).status, 201, 'a deleted one makes room')
})

t.test('a webhook receives the events after the newest one', async t => {
  const sinceOf = async () => {
    const { body: { id } } = await call('/webhooks', { method: 'POST', user: newUser(), body: hook })
    const [row] = await sql`select since_ms::int8, since_seq::int8 from webhooks.webhooks where id = ${id}`
    return [Number(row?.since_ms), Number(row?.since_seq)]
  }
  const id = '5000000000000-3'
  await redis.client().xadd('{tidings}:job-events', id, 'u', '1', 'd', '{}')
  t.same(await sinceOf(), [5_000_000_000_000, 3])
})

t.test('https and ports can be demanded', async t => {
  const receiver = await startReceiver(t)
  const urlFault = async (url: string) => (
    await strict.call('/webhooks', { method: 'POST', body: { ...hook, url } })
  ).body.errors?.[0]
  t.same(await urlFault('http://example.com/'), { path: 'body.url', message: 'must be an https URL' })
  t.same(
    await urlFault('https://example.com:22/'), { path: 'body.url', message: 'must use one of the ports 443, 8443' }
  )
  t.same(
    await urlFault('https://0x7f000001/'),
    { path: 'body.url', message: 'must not point at an address that is not public' }
  )
  t.equal(await urlFault('https://example.com:8443/'), undefined)
  t.equal(receiver.requests.length, 0)
})

t.test('no route takes a URL that nothing may be delivered to', async t => {
  const user = newUser()
  const { body: { id } } = await strict.call('/webhooks', { method: 'POST', user, body: hook })
  type Entry = [method: 'POST' | 'PUT', path: string, field: string, body: (url: string) => object]
  const entries: Record<string, Entry> = {
    createWebhook: ['POST', '/webhooks', 'url', url => ({ ...hook, url })],
    updateWebhook: ['PUT', `/webhooks/${id}`, 'url', url => ({ url })],
    putLegacyWebhook: ['PUT', '/webhooks/legacy', 'webhookUrl', url => ({ webhookUrl: url })]
  }
  t.same(operationsWithUrls(), Object.keys(entries).toSorted(), 'every operation that takes a URL')
  for (const [method, path, field, body] of Object.values(entries)) {
    for (const url of [
      'https://127.1/', 'https://[::ffff:7f00:1]/', 'https://169.254.169.254/latest/meta-data', 'https://[64:ff9b::a00:1]/',
      'https://①②⑦.0.0.1/', 'https://[fd00:ec2::254]/', 'https://100.100.100.200/', 'https://user@example.com/',
      'file:///etc/passwd', 'https://example.com:22/'
    ]) {
      const answer = await strict.call(path, { method, user, body: body(url) })
      t.match([answer.status, answer.body.errors?.[0]?.path], [400, `body.${field}`], `${method} ${path} ${url}`)
    }
  }
  t.match((await strict.call(`/webhooks/${id}`, { user })).body, { url: hook.url })
})

type Schema = { $ref?: string, properties?: Record<string, Schema>, items?: Schema, anyOf?: Schema[], allOf?: Schema[] }
type Operation = { operationId: string, requestBody?: { content: Record<string, { schema: Schema }> } }

/** The operations in whose bodies a URL may stand, by the service's OpenAPI document. */
function operationsWithUrls (): string[] {
  const { paths, components } = app.swagger() as unknown as {
    paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> }
  }
  const namesIn = ({ $ref, properties = {}, items, anyOf = [], allOf = [] }: Schema): string[] => [
    ...Object.keys(properties),
    ...[...Object.values(properties), ...items ? [items] : [], ...anyOf, ...allOf].flatMap(namesIn),
    ...$ref === undefined ? [] : namesIn(components.schemas[$ref.split('/').at(-1) ?? ''] ?? {})
  ]
  return Object.values(paths).flatMap(methods => Object.values(methods))
    .filter(({ requestBody }) => Object.values(requestBody?.content ?? {})
      .some(({ schema }) => namesIn(schema).some(name => /url$/i.test(name))))
    .map(({ operationId }) => operationId).toSorted()
}
