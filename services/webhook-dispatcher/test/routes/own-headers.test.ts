import t from 'tap'
import { startReceiver } from '@tidings/testing'
import { createSecretBox } from '../../src/secrets/secret-box.ts'
import { encryptHeaders } from '../../src/webhooks/encrypt-headers.ts'
import { setup } from './setup.ts'

const MASK = '••••'
const { app, call, sql } = await setup(t)
const receiver = await startReceiver(t)
const hook = { url: receiver.url, eventType: 'all', headers: { Authorization: 'Bearer very secret', 'X-Team': 'blue' } }
const stored = async (id: number) => (
  await sql`select headers, sealed_headers from webhooks.webhooks where id = ${id}`
)[0]

/** The headers that a test of the webhook brings. */
async function sent (id: number) {
  const before = receiver.requests.length
  await call(`/webhooks/${id}/test`, { method: 'POST' })
  return (await receiver.waitFor(before + 1)).at(-1)?.headers
}

t.test('a webhook\'s own headers are sent, and neither shown nor stored as they are', async t => {
  const { body: created } = await call('/webhooks', { method: 'POST', body: hook })
  const masked = { Authorization: MASK, 'X-Team': MASK }
  t.same(created.headers, masked)
  t.same((await call(`/webhooks/${created.id}`)).body.headers, masked)
  t.same((await call('/webhooks')).body.webhooks[0].headers, masked)
  t.notMatch(JSON.stringify(await stored(created.id)), /secret|blue/)
  t.match(await sent(created.id), { authorization: 'Bearer very secret', 'x-team': 'blue' })
})

t.test('a mask that is sent back keeps the value while other fields change', async t => {
  const { body: { id } } = await call('/webhooks', { method: 'POST', body: hook })
  const put = async (body: object) => await call(`/webhooks/${id}`, { method: 'PUT', body })
  t.equal((await put((await call(`/webhooks/${id}`)).body)).status, 200)
  t.match(await sent(id), { authorization: 'Bearer very secret', 'x-team': 'blue' })
  t.match(
    await put({ headers: { authorization: MASK, 'X-Other': 'new' } }),
    { status: 200, body: { headers: { authorization: MASK, 'X-Other': MASK } } }
  )
  const headers = await sent(id)
  t.match(headers, { authorization: 'Bearer very secret', 'x-other': 'new' })
  t.equal(headers?.['x-team'], undefined)
  t.match(
    await put({ headers: { 'X-Unknown': MASK } }),
    { status: 400, body: { errors: [{ path: 'body.headers.X-Unknown', message: /no value/ }] } }
  )
  t.match(
    await put({ headers: { 'X-A': 'a\r\nb' } }), { status: 400, body: { errors: [{ path: 'body.headers.X-A' }] } }
  )
  t.match(await call('/webhooks', { method: 'POST', body: { ...hook, headers: { 'X-A': MASK } } }), { status: 400 })
  t.same((await put({ headers: {} })).body.headers, {})
  t.match(await stored(id), { headers: {}, sealed_headers: null })
})

t.test('headers of an earlier release, or under a retired key, are sent as before, encrypted at start', async t => {
  const { body: { id } } = await call('/webhooks', { method: 'POST', body: { ...hook, headers: {} } })
  await sql`update webhooks.webhooks set headers = ${sql.json(hook.headers)}, updated_at = now() where id = ${id}`
  t.match(await sent(id), { authorization: 'Bearer very secret' })
  t.equal(await encryptHeaders(app.sql, app.secretBox), 1)
  t.notMatch(JSON.stringify(await stored(id)), /secret|blue/)
  t.match(await sent(id), { authorization: 'Bearer very secret', 'x-team': 'blue' })
  t.equal(await encryptHeaders(app.sql, app.secretBox), 0)
  const next = createSecretBox(['another key for tests and nothing else', 'a key for tests and nothing else'])
  t.ok(await encryptHeaders(app.sql, next) > 0)
  t.ok(next.isCurrent((await stored(id))?.sealed_headers))
  t.match(JSON.parse(next.open((await stored(id))?.sealed_headers)), hook.headers)
})
