import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { signedHeaders } from '../../../src/delivery/attempt/signed-headers.ts'

const now = Math.floor(Date.now() / 1000)
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

t.test('the reference implementation verifies what is signed, as text and as bytes', async t => {
  const secret = newSecret()
  const body = JSON.stringify({ id: '123', jobname: 'Zürich ✓', result: { a: 1 } })
  for (const form of [body, Buffer.from(body)]) {
    const headers = signedHeaders({ id: '1640995200000-0', timestampSeconds: now, body: form, secrets: [secret] })
    t.same(new Webhook(secret).verify(body, headers), JSON.parse(body))
  }
})

t.test('with two secrets there are two signatures, and each verifies', async t => {
  const secrets = [newSecret(), newSecret()]
  const headers = signedHeaders({ id: 'msg_1', timestampSeconds: now, body: '{}', secrets })
  t.match(headers['webhook-signature'], /^v1,[\w+/]+=* v1,[\w+/]+=*$/)
  for (const secret of secrets) t.same(new Webhook(secret).verify('{}', headers), {})
})

t.test('another secret, a changed byte, another id and an old timestamp are refused', async t => {
  const secret = newSecret()
  const headers = signedHeaders({ id: 'msg_1', timestampSeconds: now, body: '{"a":1}', secrets: [secret] })
  t.throws(() => new Webhook(newSecret()).verify('{"a":1}', headers))
  t.throws(() => new Webhook(secret).verify('{"a":2}', headers))
  t.throws(() => new Webhook(secret).verify('{"a":1}', { ...headers, 'webhook-id': 'msg_2' }))
  const old = signedHeaders({ id: 'msg_1', timestampSeconds: now - 600, body: '{"a":1}', secrets: [secret] })
  t.throws(() => new Webhook(secret).verify('{"a":1}', old))
})
