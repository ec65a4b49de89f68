import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import t from 'tap'
import { startReceiver, tokenOf, until } from '@tidings/testing'
import { setup } from './setup.ts'

const { app, call } = await setup(t, { RATE_LIMIT_MAX: '0' })
const base = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
const receiver = await startReceiver(t)
const newUser = () => `user-${randomUUID()}`
const hook = { url: 'https://example.com/webhook', eventType: 'completed' }

type Sent = { path: string, method: string, user: string, type?: string, length?: boolean, body?: string }

/** As a client of its own sends it, headers and all. */
async function send ({ path, method, user, type, length = true, body = '' }: Sent): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${tokenOf(user)}`,
      ...(type && { 'content-type': type }),
      ...(length ? { 'content-length': body.length } : { 'transfer-encoding': 'chunked' })
    }
    request({ host: base.hostname, port: base.port, path, method, headers }, response => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    }).on('error', reject).end(body)
  })
}

async function newWebhook (user: string, body: object = {}) {
  return (
    await call('/webhooks', { method: 'POST', user, body: { url: receiver.url, eventType: 'all', ...body } })
  ).body
}

async function newDelivery (user: string): Promise<number> {
  const { id: webhookId } = await newWebhook(user)
  const { body: { id } } = await call(`/webhooks/${webhookId}/test`, { method: 'POST', user })
  await until(async () => (await call(`/deliveries/${id}`, { user })).body.status === 'delivered')
  return id
}

const routes: { method: string, status: number, path: (user: string) => Promise<string> }[] = [
  { method: 'DELETE', status: 204, path: async user => `/webhooks/${(await newWebhook(user)).id}` },
  { method: 'POST', status: 202, path: async user => `/webhooks/${(await newWebhook(user)).id}/test` },
  { method: 'POST', status: 200, path: async user => `/webhooks/${(await newWebhook(user)).id}/rotate-secret` },
  { method: 'POST', status: 202, path: async user => `/deliveries/${await newDelivery(user)}/redeliver` },
  { method: 'POST', status: 200, path: async () => '/webhooks/legacy/rotate-secret' },
  { method: 'DELETE', status: 204, path: async user => await legacy(user) },
  { method: 'POST', status: 201, path: async user => `${await legacy(user)}/migrate` }
]

async function legacy (user: string): Promise<string> {
  await call('/webhooks/legacy', { method: 'PUT', user, body: { webhookUrl: receiver.url } })
  return '/webhooks/legacy'
}

t.test('a route without a body takes none, whatever content type is announced', async t => {
  const announced = [
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8'
  ]
  for (const { method, status, path } of routes) {
    for (const type of announced) {
      for (const length of [true, false]) {
        const user = newUser()
        const at = await path(user)
        t.equal(
          await send({ path: at, method, user, type, length }),
          status,
          `${method} ${at} ${type} ${length ? 'content-length: 0' : 'chunked'}`
        )
      }
    }
  }
})

t.test('an empty object says nothing either; a body that says something is refused', async t => {
  const user = newUser()
  const { id } = await newWebhook(user)
  const type = 'application/json'
  t.equal(await send({ path: `/webhooks/${id}/test`, method: 'POST', user, type, body: '{}' }), 202)
  t.equal(await send({ path: `/webhooks/${id}/test`, method: 'POST', user, type, body: '{}', length: false }), 202)
  t.same(
    (await call(`/webhooks/${id}`, { method: 'DELETE', user, body: { force: true } })).body.errors,
    [{ path: 'body.force', message: 'unknown: force' }]
  )
  t.equal(await send({ path: `/webhooks/${id}`, method: 'DELETE', user, type: 'text/plain', body: 'x' }), 415)
  t.equal(await send({ path: `/webhooks/${id}`, method: 'DELETE', user, type, body: '{' }), 400)
  t.equal(
    await send({ path: `/webhooks/${id}`, method: 'PUT', user, type }), 400, 'a route that needs a body needs one'
  )
  t.equal((await call(`/webhooks/${id}`, { user })).status, 200)
})

t.test('what a GET shows can be sent back', async t => {
  const user = newUser()
  for (const active of [true, false]) {
    const { secret, ...webhook } = await newWebhook(user, { active, description: active ? 'mine' : null })
    t.type(secret, 'string')
    const { status, body } = await call(`/webhooks/${webhook.id}`, { method: 'PUT', user, body: webhook })
    t.same([status, body], [200, { ...webhook, updatedAt: body.updatedAt }])
  }
  await legacy(user)
  const { body: shown } = await call('/webhooks/legacy', { user })
  t.match(
    await call('/webhooks/legacy', { method: 'PUT', user, body: shown }),
    { status: 200, body: { webhookUrl: receiver.url } }
  )
})

t.test('what only a GET says changes nothing, and does not pass for a change', async t => {
  const user = newUser()
  const { id } = await newWebhook(user)
  const put = async (body: object) => await call(`/webhooks/${id}`, { method: 'PUT', user, body })
  t.match(await put({ active: false, status: 'active' }), { status: 200, body: { active: false, status: 'paused' } })
  t.match(await put({ status: 'active' }), { status: 400, body: { errors: [{ path: 'body', message: /`active`/ }] } })
  t.match(await put({ id: id + 1, active: true }), { status: 400, body: { errors: [{ path: 'body.id' }] } })
  t.match(await put({ active: true, userId: 2 }), { status: 400, body: { errors: [{ path: 'body.userId' }] } })
})

t.test('null stands for what is left out, and takes a description away', async t => {
  const user = newUser()
  const none = { description: null, active: null, headers: null, progressMode: null }
  const created = await call('/webhooks', { method: 'POST', user, body: { ...hook, ...none } })
  t.match(created, { status: 201, body: { description: null, active: true, headers: {}, progressMode: 'all' } })
  const { body: webhook } = await call(
    '/webhooks', { method: 'POST', user, body: { ...hook, description: 'mine', progressMode: 'latest', active: false } }
  )
  const changed = await call(
    `/webhooks/${webhook.id}`, { method: 'PUT', user, body: { ...none, url: null, eventType: null } }
  )
  t.match(changed, { status: 200, body: { ...hook, description: null, active: false, progressMode: 'latest' } })
  t.equal((await call('/webhooks', { method: 'POST', user, body: { ...hook, url: null } })).status, 400)
  t.equal((await call(`/webhooks/${webhook.id}`, { method: 'PUT', user, body: { active: 'true' } })).status, 400)
})

t.test('a trailing slash and a content type in capitals change nothing', async t => {
  const user = newUser()
  t.equal((await call('/webhooks/', { user })).status, 200)
  const { id } = await newWebhook(user)
  t.equal((await call(`/webhooks/${id}/`, { user })).body.id, id)
  t.equal(
    (await call(
      '/webhooks', { method: 'POST', user, body: hook, headers: { 'content-type': 'Application/JSON; charset=UTF-8' } }
    )).status,
    201
  )
})
