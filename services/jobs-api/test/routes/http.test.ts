import t from 'tap'
import { connectRaw, tokenOf } from '@tidings/testing'
import { makeRows } from '../generate-rows.ts'
import { setup } from '../setup.ts'

const CHUNKED_JSON = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
const HEADERS = `Host: tidings.test\r\nAuthorization: Bearer ${tokenOf(1)}\r\n`

const { app, database } = await setup(t, { JOB_RETENTION_DAYS: '36500' })
await makeRows(database.sql, { userId: '1', count: 5 })
const origin = await app.listen({ host: '127.0.0.1', port: 0 })

t.test('a 304 has neither body nor content-length: the next response on the connection is read correctly', async t => {
  const client = await connectRaw(t, origin)
  client.send(`GET /jobs/1-3 HTTP/1.1\r\n${HEADERS}\r\n`)
  const etag = (await client.response())?.header('etag')
  client.send(`GET /jobs/1-3 HTTP/1.1\r\n${HEADERS}If-None-Match: ${etag}\r\n\r\n`)
  const response = await client.response()
  t.match(response, { status: 304 })
  t.equal(response?.header('etag'), etag)
  t.notOk(response?.header('content-length') ?? response?.header('content-type'))
  client.send(`HEAD /jobs/1-3 HTTP/1.1\r\n${HEADERS}\r\n`)
  t.ok(Number((await client.response('HEAD'))?.header('content-length')) > 100)
  client.send(`GET /jobs/1-3 HTTP/1.1\r\n${HEADERS}\r\n`)
  t.match(await client.response(), { status: 200, isWhole: true })
})

t.test('additional slashes are ignored', async t => {
  for (const path of [
    '/jobs/1-3/', '//jobs/1-3', '/jobs//1-3', '/jobs/', '/jobs/counts/', '/jobs/1-3/events/?queue=queue0'
  ]) {
    t.equal((await app.inject({ url: path, headers: { authorization: `Bearer ${tokenOf(1)}` } })).statusCode, 200, path)
  }
})

t.test('an unsupported method is a 405 that lists the supported ones', async t => {
  const cases = [
    ['DELETE', '/jobs/1-3', 'GET, HEAD, OPTIONS'],
    ['GET', '/submit-job', 'OPTIONS, POST'],
    ['PATCH', '/jobs/', 'GET, HEAD, OPTIONS'],
    ['PUT', '/jobs/counts', 'GET, HEAD, OPTIONS'],
    ['GET', '/jobs/1-3/cancel?x=1', 'OPTIONS, POST'],
    ['POST', '/openapi.json', 'GET, HEAD, OPTIONS']
  ] as const
  for (const [method, url, allow] of cases) {
    const { statusCode, headers, body } = await app.inject({ method, url })
    t.equal(statusCode, 405, `${method} ${url}`)
    t.equal(headers.allow, allow)
    t.match(headers['content-type'], 'application/problem+json')
    t.match(JSON.parse(body), { type: 'urn:tidings:problem:method-not-allowed', status: 405 })
  }
  t.match(await app.inject({ method: 'OPTIONS', url: '/jobs/1-3' }), {
    statusCode: 204, headers: { allow: 'GET, HEAD, OPTIONS' }
  })
  t.match(await app.inject('/nowhere'), { statusCode: 404, headers: { allow: undefined } })
  const malformed = { method: 'POST', payload: '{', headers: { 'content-type': 'application/json' } } as const
  t.equal((await app.inject({ url: '/jobs', ...malformed })).statusCode, 405, 'with any body')
  t.equal((await app.inject({ url: '/nowhere', ...malformed })).statusCode, 404)
  for (const method of ['TRACE', 'PROPFIND', 'QUERY']) {
    const client = await connectRaw(t, origin)
    client.send(`${method} /jobs HTTP/1.1\r\n${HEADERS}\r\n`)
    t.equal((await client.response())?.status, 405, method)
  }
})

t.test('a response to malformed HTTP is a problem like any other', async t => {
  const cases: [string, number][] = [
    [`GET /jobs/ü HTTP/1.1\r\n${HEADERS}\r\n`, 400],
    [`GET /jobs/%E0%A4%A HTTP/1.1\r\n${HEADERS}\r\n`, 400],
    [`GET /jobs HTTP/1.1\r\n${HEADERS}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [`POST /submit-job HTTP/1.1\r\n${HEADERS}${CHUNKED_JSON}\r\nzz\r\n`, 400],
    [`FOO /jobs HTTP/1.1\r\n${HEADERS}\r\n`, 501],
    [`CONNECT other.test:443 HTTP/1.1\r\n${HEADERS}\r\n`, 405],
    [`GET /jobs HTTP/1.1\r\n${HEADERS}Expect: tea\r\n\r\n`, 417],
    ['GET /jobs HTTP/1.1\r\n\r\n', 400]
  ]
  for (const [text, status] of cases) {
    const client = await connectRaw(t, origin)
    client.send(text)
    const response = await client.response()
    t.equal(response?.status, status, text.slice(0, 40))
    t.match(response?.header('content-type'), 'application/problem+json')
    t.match(JSON.parse(response?.body ?? ''), { type: /^urn:tidings:problem:/, status })
  }
  const cut = await connectRaw(t, origin)
  cut.send(
    `POST /submit-job HTTP/1.1\r\n${HEADERS}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name"`
  )
  cut.halfClose()
  t.match(await cut.response(), { status: 400, body: /malformed-request/ })
})

t.test('the id of a request is used if it is fit for a log', async t => {
  const instanceOf = async (id: string) => (
    await app.inject({ url: '/nowhere', headers: { 'x-request-id': id } })
  ).json().instance
  t.equal(await instanceOf('req-1'), 'urn:request:req-1')
  for (const id of ['x'.repeat(9000), 'a b', '"', '']) t.match(await instanceOf(id), /^urn:request:[0-9a-f-]{36}$/)
})
