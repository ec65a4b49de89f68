import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { verifyWebhook } from '../src/webhooks.ts'

const SECRET = `whsec_${Buffer.from('a secret of twenty-four b').toString('base64')}`
const OTHER = `whsec_${Buffer.from('another secret of twenty').toString('base64')}`
const now = new Date('2026-01-01T00:00:00Z')
const body = JSON.stringify({ id: 'j', jobname: 'x', userId: 1, eventType: 'completed', result: { text: 'ü' } })

function signed (text = body, secret = SECRET, at = now): Record<string, string> {
  return {
    'webhook-id': '1640995300000-0',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('1640995300000-0', at, text),
    'webhook-attempt': '2'
  }
}

t.test('a delivery that is signed with the secret is returned', async t => {
  const expected = { eventId: '1640995300000-0', attempt: 2, signedAt: now, payload: JSON.parse(body) as object }
  t.same(await verifyWebhook(body, signed(), SECRET, { now }), expected)
  const ofFetch = new Headers(signed())
  t.same(await verifyWebhook(Buffer.from(body), ofFetch, SECRET, { now }), expected, 'bytes, and headers of fetch')
  const bare = SECRET.replace('whsec_', '')
  t.same(await verifyWebhook(new TextEncoder().encode(body).buffer, signed(), bare, { now }), expected)
  for (const attempt of ['', '-1', '1e999', 'x']) {
    const { attempt: read } = await verifyWebhook(body, { ...signed(), 'webhook-attempt': attempt }, SECRET, { now })
    t.equal(read, 1, `attempt ${attempt}`)
  }
  const two = [signed(body, OTHER), signed()].map(headers => headers['webhook-signature']).join(' ')
  const rotating = { ...signed(), 'webhook-signature': two }
  t.same(await verifyWebhook(body, rotating, SECRET, { now }), expected, 'one of two, while a secret is replaced')
})

t.test('anything else is refused with a code', async t => {
  type Headers = Record<string, string>
  const rejects = async (code: string, text: string, headers: Headers, secret = SECRET, options: object = { now }) =>
    await t.rejects(verifyWebhook(text, headers, secret, options), { name: 'WebhookVerificationError', code })
  await rejects('invalid_signature', body, signed(body, OTHER))
  await rejects('invalid_signature', body.replace('1', '2'), signed())
  await rejects('invalid_signature', body, { ...signed(), 'webhook-id': '1640995300000-1' })
  await rejects('invalid_signature', body, { ...signed(), 'webhook-signature': 'v1,%%% v2,AAAA v1 x' })
  await rejects('invalid_signature', body, { ...signed(), 'webhook-signature': 'v1,AAAA' })
  await rejects('too_old', body, signed(body, SECRET, new Date(now.getTime() - 301_000)))
  await rejects('too_new', body, signed(body, SECRET, new Date(now.getTime() + 301_000)))
  await rejects('too_old', body, signed(), SECRET, {})
  await rejects('missing_header', body, { ...signed(), 'webhook-timestamp': '1e9' })
  await rejects('invalid_secret', body, signed(), 'whsec_%')
  await rejects('invalid_secret', body, signed(), 'whsec_')
  for (const text of ['{', 'null', '7', '[]']) await rejects('invalid_body', text, signed(text))
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    const { [name]: _, ...rest } = signed()
    await rejects('missing_header', body, rest)
  }
})

t.test('it agrees with an independent HMAC', async t => {
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64')
  const headers = signed()
  const content = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.')
  const signature = createHmac('sha256', key).update(content).digest('base64')
  await verifyWebhook(body, { ...headers, 'webhook-signature': `v1,${signature}` }, SECRET, { now })
  t.pass()
})
