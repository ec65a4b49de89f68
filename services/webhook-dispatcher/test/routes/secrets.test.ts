import { randomUUID } from 'node:crypto'
import t from 'tap'
import { setup } from './setup.ts'

const { call, app, sql } = await setup(t)
const newUser = () => `user-${randomUUID()}`

async function newWebhook (user: string) {
  const { body } = await call(
    '/webhooks', { method: 'POST', user, body: { url: 'https://example.com/hook', eventType: 'all' } }
  )
  return body as { id: number, secret: string }
}

/** The secrets that sign now, as ingest and delivery read them. */
async function signing (webhookId: number): Promise<string[]> {
  const [target] = await sql`select ciphertexts from webhooks.targets where id = ${webhookId}`
  return target?.ciphertexts.map((ciphertext: string) => app.secretBox.open(ciphertext))
}

t.test('the secret of a webhook is shown to its owner alone', async t => {
  const user = newUser()
  const { id, secret } = await newWebhook(user)
  t.same((await call(`/webhooks/${id}/secret`, { user })).body, { secret, replacedUntil: null })
  t.equal((await call(`/webhooks/${id}/secret`, { user: newUser() })).status, 404)
  t.equal((await call(`/webhooks/${id}/rotate-secret`, { user: newUser(), method: 'POST' })).status, 404)
})

t.test('after a rotation both secrets sign for a day', async t => {
  const user = newUser()
  const { id, secret: old } = await newWebhook(user)
  const rotated = await call(`/webhooks/${id}/rotate-secret`, { method: 'POST', user })
  t.equal(rotated.status, 200)
  t.not(rotated.body.secret, old)
  t.same((await call(`/webhooks/${id}/secret`, { user })).body, rotated.body)
  t.same(await signing(id), [rotated.body.secret, old])
  const [{ hours } = {}] = await sql`select extract(epoch from expires_at - now()) / 3600 as hours from webhooks.secrets where webhook_id = ${id} and expires_at is not null`
  t.ok(hours > 23.9 && hours <= 24)
  const [{ until } = {}] = await sql`select max(expires_at) as until from webhooks.secrets where webhook_id = ${id}`
  t.equal(rotated.body.replacedUntil, (until as Date).toISOString(), 'its owner learns until when')
  await sql`update webhooks.secrets set expires_at = now() where webhook_id = ${id} and expires_at is not null`
  t.same(await signing(id), [rotated.body.secret])
  t.equal((await call(`/webhooks/${id}/secret`, { user })).body.replacedUntil, null)
})

t.test('rotations at once take turns, and a bounded number of secrets signs', async t => {
  const user = newUser()
  const { id } = await newWebhook(user)
  const rotations = await Promise.all(
    Array.from({ length: 8 }, () => call(`/webhooks/${id}/rotate-secret`, { method: 'POST', user }))
  )
  t.ok(rotations.every(({ status }) => status === 200))
  const secrets = await signing(id)
  t.equal(secrets.length, 5, 'the current one and four before it')
  t.equal((await call(`/webhooks/${id}/secret`, { user })).body.secret, secrets[0])
})
