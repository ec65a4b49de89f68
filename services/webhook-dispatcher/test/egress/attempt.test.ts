import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { TEST_CERTIFICATE as cert, startReceiver, until } from '@tidings/testing'
import t from 'tap'
import { createResolve } from '../../src/egress/resolve.ts'
import { attempter } from './attempter.ts'
import { startDnsServer } from './dns-server.ts'
import { drip, onRequest, rawServer } from './raw-server.ts'

/** Long enough for all that comes before the phase that a test is about, on a machine that is busy. */
const DEADLINE_MS = 1500

t.test('a 2xx response is a success with its durations', async t => {
  const receiver = await startReceiver(t, (_request, response) => {
    response.writeHead(201, { 'x-trace': ['a', 'b'] }).end('thanks\0')
  })
  const attempt = attempter(t)
  const { durations, responseHeaders, ...outcome } = await attempt(
    `${receiver.url}/hook?a=b`, { headers: { 'webhook-id': '1-0' } }
  )
  t.same(outcome, { ok: true, status: 201, responseBody: 'thanks\uFFFD' })
  t.equal(responseHeaders?.['x-trace'], 'a, b')
  t.same(Object.keys(durations).sort(), ['connectMs', 'dnsMs', 'totalMs', 'ttfbMs'])
  const [request] = receiver.requests
  t.same(
    [request?.method, request?.url, request?.body, request?.headers['webhook-id']],
    ['POST', '/hook?a=b', '{"id":"123"}', '1-0']
  )
})

t.test('a connection is kept, and only the attempt that opened it waited for it', async t => {
  const receiver = await startReceiver(t)
  const attempt = attempter(t)
  const first = await attempt(receiver.url)
  await setImmediate() // undici gives a server that much time to close it after all
  const second = await attempt(receiver.url)
  t.type(first.durations.connectMs, 'number')
  t.equal(second.durations.connectMs, undefined)
  t.equal(second.durations.dnsMs, undefined)
})

for (const [options, bound] of [[{}, 50], [{ connections: 80 }, 80]] as const) {
  t.test(`at most ${bound} connections go to one origin`, async t => {
    let open = 0
    let most = 0
    const port = await rawServer(t, socket => {
      most = Math.max(most, ++open)
      socket.on('close', () => { open-- })
      socket.on('data', () => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n') })
    })
    const attempt = attempter(t, options)
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => attempt(`http://127.0.0.1:${port}/`)))
    t.ok(outcomes.every(({ ok }) => ok))
    t.equal(most, bound)
  })
}

t.test('other statuses have an error class each, and Retry-After is returned', async t => {
  const receiver = await startReceiver(t)
  const attempt = attempter(t)
  const answers = [
    [302, 'redirect'], [304, 'redirect'], [400, 'http-4xx'], [410, 'http-4xx'],
    [429, 'http-4xx'], [500, 'http-5xx'], [503, 'http-5xx'], [999, 'http-5xx']
  ] as const
  for (const [status, errorClass] of answers) {
    receiver.handle(() => status)
    const outcome = await attempt(receiver.url)
    t.same(
      [outcome.ok, outcome.status, outcome.errorClass, outcome.message],
      [false, status, errorClass, `Answered ${status}`]
    )
  }
})

t.test('Retry-After is returned in milliseconds, from seconds and from dates', async t => {
  const receiver = await startReceiver(t)
  const attempt = attempter(t)
  receiver.handle((_request, response) => { response.writeHead(429, { 'retry-after': '120' }).end() })
  t.equal((await attempt(receiver.url)).retryAfterMs, 120_000)
  receiver.handle(
    (_request, response) => {
      response.writeHead(
        503, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }
      ).end()
    }
  )
  const { retryAfterMs = 0 } = await attempt(receiver.url)
  t.ok(retryAfterMs > 3_590_000 && retryAfterMs <= 3_600_000)
})

t.test('a redirect is not followed', async t => {
  const secret = await startReceiver(t)
  const receiver = await startReceiver(
    t, (_request, response) => { response.writeHead(307, { location: secret.url }).end() }
  )
  const outcome = await attempter(t)(receiver.url)
  t.same([outcome.ok, outcome.errorClass, outcome.status], [false, 'redirect', 307])
  t.equal(secret.requests.length, 0)
})

t.test('an endpoint that is slow in any phase ends at the deadline', async t => {
  const phases: Record<string, (socket: Socket) => void> = {
    'says nothing': () => {},
    'drips the status line': onRequest(socket => { socket.write('HTTP/1.1 ') }),
    'is at it, for ever': onRequest(socket => { drip(socket, 'HTTP/1.1 102 Processing\r\n\r\n') })
  }
  await Promise.all(Object.entries(phases).map(async ([name, serve]) => {
    let closed = false
    const port = await rawServer(t, socket => {
      socket.on('close', () => { closed = true })
      serve(socket)
    })
    const outcome = await attempter(t)(`http://127.0.0.1:${port}/`, { timeoutMs: DEADLINE_MS })
    t.equal(outcome.errorClass, 'timeout', name)
    t.equal(outcome.message, `No answer within ${DEADLINE_MS} ms`, name)
    t.ok(outcome.durations.totalMs >= DEADLINE_MS - 1, name)
    await until(() => closed, { what: 'its connection to be closed' })
  }))
})

t.test('a TLS handshake that never ends is over at the deadline too', async t => {
  const port = await rawServer(t, () => {})
  const outcome = await attempter(t)(`https://127.0.0.1:${port}/`, { timeoutMs: DEADLINE_MS })
  t.same([outcome.errorClass, outcome.message], ['timeout', `No connection within ${DEADLINE_MS} ms`])
})

t.test('a connection that takes too long ends by itself, whatever the deadline', async t => {
  const port = await rawServer(t, () => {})
  const outcome = await attempter(t, { connectTimeoutMs: DEADLINE_MS })(`https://127.0.0.1:${port}/`)
  t.same([outcome.errorClass, outcome.message], ['timeout', 'The TLS handshake did not end in time'])
})

t.test('a connection that breaks is a reset', async t => {
  const breaks: Record<string, (socket: Socket) => void> = {
    'reset before the answer': onRequest(socket => { socket.resetAndDestroy() }),
    'closed before the answer': onRequest(socket => { socket.end() }),
    'closed within the status line': onRequest(socket => { socket.end('HTTP/1.1 2') }),
    'another protocol instead': onRequest(
      socket => { socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n') }
    ),
    'not HTTP': onRequest(socket => { socket.end('SSH-2.0-OpenSSH_9.9\r\n') })
  }
  for (const [name, serve] of Object.entries(breaks)) {
    const outcome = await attempter(t)(`http://127.0.0.1:${await rawServer(t, serve)}/`)
    t.same([outcome.ok, outcome.errorClass], [false, 'reset'], name)
  }
})

t.test('a TLS connection that breaks is a reset too', async t => {
  const attempt = attempter(t, { ca: cert, resolve: async () => ({ addresses: ['127.0.0.1'] }) })
  for (const serve of [onRequest(socket => { socket.destroy() }), onRequest(socket => { socket.end() })]) {
    const port = await rawServer(t, serve, { secure: true })
    t.match(await attempt(`https://receiver.test:${port}/`), { ok: false, errorClass: 'reset' })
  }
})

t.test('a refused connection is an error that names no address', async t => {
  const receiver = await startReceiver(t)
  await receiver.stop()
  const outcome = await attempter(t)(receiver.url)
  t.same([outcome.ok, outcome.errorClass, outcome.message], [false, 'connect', 'Could not connect (ECONNREFUSED)'])
})

t.test('broken TLS is a class of its own', async t => {
  const answer = onRequest(socket => { socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n') })
  const port = await rawServer(t, answer, { secure: true })
  const plain = await rawServer(t, onRequest(socket => { socket.end('HTTP/1.1 200 OK\r\n\r\n') }))
  const resetting = await rawServer(t, onRequest(socket => { socket.resetAndDestroy() }))
  const server = await startDnsServer(t, () => ['127.0.0.1'])
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }) })
  const trusting = attempter(t, { resolve: createResolve({ servers: [server] }), ca: cert })

  t.match(
    await attempt(`https://receiver.test:${port}/`),
    { errorClass: 'tls', message: 'The TLS handshake failed (DEPTH_ZERO_SELF_SIGNED_CERT)' },
    'self-signed'
  )
  t.match(
    await trusting(`https://another.test:${port}/`),
    { errorClass: 'tls', message: 'The TLS handshake failed (ERR_TLS_CERT_ALTNAME_INVALID)' },
    'of another name'
  )
  t.match(await attempt(`https://receiver.test:${plain}/`), { errorClass: 'tls' }, 'no TLS at all')
  t.match(await attempt(`https://receiver.test:${resetting}/`), { errorClass: 'tls' }, 'reset within the handshake')
  t.match(await trusting(`https://receiver.test:${port}/`), { ok: true, status: 200 }, 'trusted')
  t.match(await trusting(`https://receiver.test.:${port}/`), { ok: true, status: 200 }, 'trusted, as an absolute name')
})

t.test('a name without addresses is a failure of DNS', async t => {
  const server = await startDnsServer(t, () => undefined)
  const outcome = await attempter(t, { resolve: createResolve({ servers: [server] }) })('http://nobody.test/')
  t.same([outcome.errorClass, outcome.message], ['dns', 'The host\'s name could not be resolved (ENOTFOUND)'])
})

t.test('16 KiB of a long response are kept, and beyond 64 KiB the connection is closed', async t => {
  let written = 0
  const receiver = await startReceiver(t, (_request, response) => { response.end('x'.repeat(64 * 1024)) })
  const endless = await rawServer(t, onRequest(socket => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const more = () => {
      while (!socket.destroyed && socket.write(chunk)) written += chunk.length
    }
    socket.on('drain', more)
    more()
  }))
  const attempt = attempter(t)
  const long = await attempt(receiver.url)
  t.same([long.ok, long.responseBody?.length], [true, 16_384])
  const cut = await attempt(`http://127.0.0.1:${endless}/`)
  t.same([cut.ok, cut.status, cut.errorClass, cut.responseBody?.length], [true, 200, undefined, 16_384])
  t.ok(written < 32 * 1024 * 1024, 'the receiver could not go on')
  receiver.handle((_request, response) => { response.writeHead(500).end('x'.repeat(200_000)) })
  t.match(await attempt(receiver.url), { status: 500, errorClass: 'http-5xx' }, 'a long error page is an error')
})

t.test('what the rules don\'t allow is blocked before anything is sent', async t => {
  const receiver = await startReceiver(t)
  const attempt = attempter(t, { allowPrivate: false })
  for (const url of [receiver.url, `http://localhost:${receiver.port}/`, `http://2130706433:${receiver.port}/`, `http://[::ffff:127.0.0.1]:${receiver.port}/`, 'ftp://example.com/']) {
    const outcome = await attempt(url)
    t.equal(outcome.errorClass, 'blocked', url)
    t.same(
      Object.keys(outcome).sort(), ['durations', 'errorClass', 'message', 'ok'], 'nothing about the host is revealed'
    )
  }
  t.equal(receiver.requests.length, 0)
})

t.test('a name that was good and is bad now is blocked', async t => {
  const receiver = await startReceiver(
    t, (_request, response) => { response.writeHead(200, { connection: 'close' }).end('inner secret') }
  )
  let addresses = ['8.8.8.8']
  const server = await startDnsServer(t, () => addresses)
  const resolve = createResolve({ servers: [server] })
  t.same((await resolve('rebind.test')).addresses, ['8.8.8.8'], 'good when somebody looks')
  addresses = ['127.0.0.1']
  const attempt = attempter(t, { allowPrivate: false, resolve })
  const outcome = await attempt(`http://rebind.test:${receiver.port}/`)
  t.same(
    [outcome.errorClass, outcome.message, outcome.responseBody],
    ['blocked', 'The host has no public address', undefined]
  )
  addresses = ['169.254.169.254']
  t.equal(
    (await attempter(t, { resolve })('http://rebind.test/')).errorClass,
    'blocked',
    'metadata, even where private networks are allowed'
  )
  t.equal(receiver.requests.length, 0)
})

t.test('a name is looked up for each connection', async t => {
  const receiver = await startReceiver(
    t, (_request, response) => { response.writeHead(200, { connection: 'close' }).end() }
  )
  let addresses = ['127.0.0.1']
  const server = await startDnsServer(t, () => addresses)
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }) })
  t.equal((await attempt(`http://moving.test:${receiver.port}/`)).ok, true)
  addresses = ['169.254.169.254']
  t.equal((await attempt(`http://moving.test:${receiver.port}/`)).errorClass, 'blocked')
})

t.test('an attempt that is given up rejects, closes its connection and has no outcome', async t => {
  let closed = 0
  const port = await rawServer(t, socket => { socket.on('close', () => { closed++ }) })
  const attempt = attempter(t)
  const giveUp = new AbortController()
  const attempts = Array.from({ length: 20 }, () => attempt(`http://127.0.0.1:${port}/`, { signal: giveUp.signal }))
  const settled = Promise.allSettled(attempts)
  giveUp.abort(new Error('closing'))
  t.ok((await settled).every(result => result.status === 'rejected' && (result.reason as Error).message === 'closing'))
  await t.rejects(attempt(`http://127.0.0.1:${port}/`, { signal: giveUp.signal }), { message: 'closing' })
  await until(() => closed === 20)
})

t.test('a header that can\'t be sent is a blocked attempt, not a crash', async t => {
  const receiver = await startReceiver(t)
  const outcome = await attempter(t)(receiver.url, { headers: { 'x-evil': 'a\r\nb: c' } })
  t.same([outcome.ok, outcome.errorClass], [false, 'blocked'])
  t.equal(receiver.requests.length, 0)
})
