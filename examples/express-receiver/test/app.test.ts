import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import type { WebhookPayload } from 'tidings/webhooks'
import { buildApp } from '../src/app.ts'

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`
const OTHER_SECRET = `whsec_${Buffer.from('another one of thirty-two bytes.').toString('base64')}`
const MINUTE = 60_000

// One time for all, so that a signature and its timestamp are of the same second.
const NOW = Date.now()

const COMPLETED: WebhookPayload = {
  id: '123',
  jobname: 'dataProcessing',
  userId: 1,
  result: { rows: 42_049 },
  eventType: 'completed'
}

t.test('handles signed events', async t => {
  const { post, handled } = await setup(t)
  const events: WebhookPayload[] = [
    { id: '123', jobname: 'dataProcessing', userId: 1, progress: 75, eventType: 'progress' },
    COMPLETED,
    { id: '124', jobname: 'Zahlen für Zoë 🙂', userId: 'zoë', error: 'sales.csv: no such file', eventType: 'failed' }
  ]
  for (const event of events) t.same(await post(event), { status: 200, body: { received: true } })
  t.same(handled, events)
})

t.test('accepts one valid signature among several, as during a rotation of the secret', async t => {
  const { post, handled } = await setup(t)
  const signature = signatureOf(COMPLETED, { secret: OTHER_SECRET }) + ' ' + signatureOf(COMPLETED, {})
  t.match(await post(COMPLETED, { headers: { 'webhook-signature': signature } }), { status: 200 })
  t.equal(handled.length, 1)
})

t.test('refuses requests that this webhook did not sign, with the reason', async t => {
  const { post, handled } = await setup(t)
  const body = JSON.stringify(COMPLETED)

  const refused: Array<[string, Sent, string | RegExp]> = [
    ['another secret', { secret: OTHER_SECRET }, 'No signature matches'],
    ['no signature', { headers: { 'webhook-signature': '' } }, 'The header webhook-signature is missing'],
    ['no id', { headers: { 'webhook-id': '' } }, 'The header webhook-id is missing'],
    [
      'a signature of another scheme',
      { headers: { 'webhook-signature': signatureOf(COMPLETED, {}).replace('v1', 'v2') } },
      'No signature matches'
    ],
    [
      'a signature cut short',
      { headers: { 'webhook-signature': signatureOf(COMPLETED, {}).slice(0, -2) } },
      'No signature matches'
    ],
    ['an empty signature', { headers: { 'webhook-signature': 'v1' } }, 'No signature matches'],
    ['a changed byte of the body', { body: body.replace('42049', '42048') }, 'No signature matches'],
    ['a space more', { body: body + ' ' }, 'No signature matches'],
    ['a changed id', { headers: { 'webhook-id': 'msg_2' } }, 'No signature matches'],
    ['a changed timestamp', { headers: { 'webhook-timestamp': seconds(-MINUTE) } }, 'No signature matches'],
    ['an old timestamp', { at: -6 * MINUTE }, /^It was signed \d+ s ago$/],
    ['a timestamp of the future', { at: 6 * MINUTE }, /^It was signed \d+ s ahead$/],
    ['a timestamp that is none', { headers: { 'webhook-timestamp': 'soon' } }, 'webhook-timestamp is no time']
  ]
  for (const [name, sent, error] of refused) {
    t.match(await post(COMPLETED, sent), { status: 401, body: { error } }, name)
  }
  t.same(handled, [])

  t.match(await post(COMPLETED, { at: -4 * MINUTE }), { status: 200 }, 'within five minutes')
})

t.test('acknowledges a repeated event, and handles it once', async t => {
  const { post, handled } = await setup(t)
  t.match(await post(COMPLETED, { id: 'msg_7' }), { status: 200 })
  t.match(await post(COMPLETED, { id: 'msg_7', at: 1_000 }), { status: 200, body: { received: true } })
  t.equal(handled.length, 1)
  t.match(await post(COMPLETED, { id: 'msg_8' }), { status: 200 })
  t.equal(handled.length, 2)
})

t.test('does not remember the id of an unsigned request', async t => {
  const { post, handled } = await setup(t)
  t.match(await post(COMPLETED, { id: 'msg_7', secret: OTHER_SECRET }), { status: 401 })
  t.match(await post(COMPLETED, { id: 'msg_7' }), { status: 200 })
  t.equal(handled.length, 1)
})

t.test('answers 500 without the reason when an event could not be handled, and handles its repetition', async t => {
  t.capture(console, 'error')
  let away = true
  const { post, handled } = await setup(t, { handle: () => { if (away) throw new Error('password of the database') } })
  t.same(await post(COMPLETED, { id: 'msg_7' }), { status: 500, body: { error: 'the event could not be handled' } })
  away = false
  t.match(await post(COMPLETED, { id: 'msg_7' }), { status: 200 })
  t.equal(handled.length, 2)
})

t.test('refuses a signed body that is not a JSON object', async t => {
  const { post, handled } = await setup(t)
  for (const body of ['{"id":', 'null', '7', '[]']) {
    const sent = { body, headers: { 'webhook-signature': signatureOf(body, {}) } }
    t.same(await post(COMPLETED, sent), { status: 400, body: { error: 'The body is not a JSON object' } }, body)
  }
  t.same(handled, [])
})

t.test('refuses a body that is too large, of another type, or missing', async t => {
  const { post, url } = await setup(t)
  const large: WebhookPayload = { ...COMPLETED, eventType: 'completed', result: 'x'.repeat(1024 * 1024) }
  t.same(await post(large), { status: 413, body: { error: 'request entity too large' } })

  const expected = { status: 415, body: { error: 'expected a body of type application/json' } }
  t.same(await post(COMPLETED, { headers: { 'content-type': 'text/plain' } }), expected)
  t.equal((await fetch(url, { method: 'POST' })).status, 415)
  t.equal((await fetch(url)).status, 404)
})

t.test('refuses an invalid secret at the start', async t => {
  for (const secret of ['whsec_', '', 'whsec_not base64']) {
    t.throws(() => buildApp({ secret, handle: () => {} }), { message: 'The secret must be whsec_ and base64' }, secret)
  }
})

interface Sent {
  id?: string
  secret?: string
  /** The time of the signature, in milliseconds from NOW. */
  at?: number
  /** The body that is sent instead of the signed one. */
  body?: string
  headers?: Record<string, string>
}

interface Options { handle?: (event: WebhookPayload) => void }

async function setup (t: { teardown: (fn: () => unknown) => unknown }, { handle = () => {} }: Options = {}) {
  const handled: WebhookPayload[] = []
  const app = buildApp({ secret: SECRET, handle: event => { handled.push(event); handle(event) } })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`

  let ids = 0
  const post = async (event: WebhookPayload, sent: Sent = {}) => {
    const id = sent.id ?? (sent.headers?.['webhook-signature'] ? 'msg_1' : `msg_new_${++ids}`)
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': seconds(sent.at),
        'webhook-signature': signatureOf(event, { ...sent, id }),
        ...sent.headers
      },
      body: sent.body ?? JSON.stringify(event)
    })
    return { status: response.status, body: await response.json() }
  }
  return { url, post, handled }
}

function signatureOf (event: WebhookPayload | string, { id = 'msg_1', secret = SECRET, at = 0 }: Sent) {
  const body = typeof event === 'string' ? event : JSON.stringify(event)
  return new Webhook(secret).sign(id, new Date(NOW + at), body)
}

function seconds (at = 0) {
  return String(Math.floor((NOW + at) / 1000))
}
