import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { setup } from '../setup.ts'

const ALLOWED = 'https://app.example'
const token = { authorization: `Bearer ${tokenOf(1)}` }

t.test('a page of an allowed origin may send requests with its headers, and read the responses', async t => {
  const { app } = await setup(t, { CORS_ORIGIN: `${ALLOWED}, https://other.example` })
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/submit-job',
    headers: {
      origin: ALLOWED,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type, idempotency-key'
    }
  })
  t.equal(preflight.statusCode, 204, 'asked without a token, as browsers do')
  t.match(preflight.headers, {
    'access-control-allow-origin': ALLOWED,
    'access-control-allow-methods': /POST/,
    'access-control-allow-headers': /authorization.*idempotency-key/
  })

  const answers = [
    await app.inject({ url: '/jobs', headers: { origin: ALLOWED, ...token } }),
    await app.inject({ url: '/jobs', headers: { origin: ALLOWED } }),
    await app.inject({ url: '/jobs/nothing', headers: { origin: ALLOWED, ...token } })
  ]
  t.same(answers.map(({ statusCode }) => statusCode), [200, 401, 404])
  for (const { headers } of answers) {
    t.equal(headers['access-control-allow-origin'], ALLOWED, 'a refusal can be read too')
    for (const name of ['etag', 'location', 'retry-after', 'ratelimit-remaining']) {
      t.match(headers['access-control-expose-headers'], name)
    }
  }
})

t.test('a page of any other origin may not', async t => {
  const { app } = await setup(t, { CORS_ORIGIN: ALLOWED })
  for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null']) {
    const { headers } = await app.inject({ url: '/jobs', headers: { origin, ...token } })
    t.notOk(headers['access-control-allow-origin'], origin)
    t.match(headers.vary, 'Origin')
  }
})

t.test('in production no origin is allowed unless it is configured', async t => {
  const { app } = await setup(t, { NODE_ENV: 'production' })
  t.notOk(
    (await app.inject({ url: '/jobs', headers: { origin: ALLOWED, ...token } })).headers['access-control-allow-origin']
  )
})

t.test('no response can be framed, sniffed, or run as a page', async t => {
  const { app } = await setup(t)
  for (const url of ['/jobs', '/jobs/nothing', '/nowhere']) {
    const { headers } = await app.inject({ url, headers: token })
    t.match(
      headers,
      {
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'content-security-policy': /default-src 'none'/
      },
      url
    )
  }
})
