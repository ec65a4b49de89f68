import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { until, connectRaw } from '@tidings/testing'
import t from 'tap'
import { kill, named, setup } from './setup.ts'

const HOST = 'Host: tidings.test\r\n'
type Answer = { name: string, url: string, headers: Record<string, string>, body: string }

t.test('ignores other protocols in Upgrade', async t => {
  const { origin } = await setup(t)
  for (const upgrade of ['h2c', 'TLS/1.0', 'websocket, h2c', 'nonsense', '']) {
    const client = await connectRaw(t, origin)
    client.send(
      `GET /jobs HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`
    )
    const response = await client.response()
    t.equal(response?.status, 200, upgrade)
    const { headers } = JSON.parse(response?.body ?? '') as Answer
    t.notOk(headers.upgrade ?? headers['http2-settings'])
  }
})

t.test('removes hop-by-hop headers in both directions', async t => {
  const { origin } = await setup(t, {
    handler: name => (request, response) => {
      response.setHeader('Proxy-Authenticate', 'Basic')
      response.setHeader('X-Mine', 'dropped')
      response.setHeader('X-Kept', ['a', 'b'])
      response.setHeader('Connection', 'X-Mine, keep-alive')
      named(name)(request, response)
    }
  })
  const client = await connectRaw(t, origin)
  client.send(
    `GET /jobs HTTP/1.1\r\n${HOST}Connection: X-Own, Host\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n`
  )
  const response = await client.response()
  const { headers } = JSON.parse(response?.body ?? '') as Answer
  t.notOk(headers['x-own'] ?? headers['keep-alive'] ?? headers.te ?? headers['proxy-connection'])
  t.match(headers, { host: 'tidings.test', 'x-twice': '1, 2' })
  t.notOk(response?.header('x-mine') ?? response?.header('proxy-authenticate'))
  t.equal(response?.header('x-kept'), 'a, b')
})

t.test('closes the connection after the response when the client asks for it or uses HTTP/1.0', async t => {
  const { origin } = await setup(t)
  for (const head of [`GET /jobs HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 'GET /jobs HTTP/1.0\r\n\r\n']) {
    const client = await connectRaw(t, origin)
    client.send(head)
    const response = await client.response()
    t.match(response, { status: 200, isWhole: true })
    t.equal(response?.header('transfer-encoding'), undefined)
    await client.closed
  }
  const kept = await connectRaw(t, origin)
  kept.send('GET /jobs HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /jobs HTTP/1.0\r\n\r\n')
  t.equal((await kept.response())?.status, 200)
})

t.test('answers Expect: 100-continue', async t => {
  const { origin } = await setup(t)
  const client = await connectRaw(t, origin)
  client.send(`POST /submit-job HTTP/1.1\r\n${HOST}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`)
  await until(() => client.rest().startsWith('HTTP/1.1 100 '))
  client.send('body')
  const response = await client.response()
  t.same(client.interim, [100])
  t.match(JSON.parse(response?.body ?? ''), { body: 'body', headers: { 'content-length': '4' } })
})

t.test('forwards bodies of any size, with a length or in chunks, and requests without one', async t => {
  const { origin } = await setup(t)
  for (const size of [0, 1, 64 * 1024, 3 * 1024 * 1024]) {
    const body = 'x'.repeat(size)
    const counted = await fetch(`${origin}/submit-job`, { method: 'POST', body })
    t.equal((await counted.json() as Answer).body.length, size)
    const chunked = await fetch(`${origin}/submit-job`, {
      method: 'POST',
      body: new Blob([body]).stream(),
      duplex: 'half'
    } as RequestInit)
    const answer = await chunked.json() as Answer
    if (size > 0) t.match(answer, { headers: { 'transfer-encoding': 'chunked' } })
    t.equal(answer.body.length, size)
  }
  const client = await connectRaw(t, origin)
  client.send(`DELETE /webhooks/1 HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n\r\n`)
  const { headers } = JSON.parse((await client.response())?.body ?? '') as Answer
  t.notOk(headers['content-length'] ?? headers['transfer-encoding'])
})

t.test('forwards trailers', async t => {
  let trailers: IncomingMessage['trailers'] = {}
  const { origin } = await setup(t, {
    handler: () => (request, response) => {
      request.resume().on('end', () => {
        trailers = request.trailers
        response.writeHead(200, { trailer: 'X-Sum' })
        response.write('a')
        response.addTrailers({ 'X-Sum': '1' })
        response.end()
      })
    }
  })
  const client = await connectRaw(t, origin)
  client.send(
    `POST /submit-job HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n1\r\na\r\n0\r\nX-Check: 7\r\n\r\n`
  )
  await until(() => /X-Sum: 1\r\n\r\n$/i.test(client.rest()), { what: 'the trailer' })
  t.same(trailers, { 'x-check': '7' })

  const old = await connectRaw(t, origin)
  old.send('GET /jobs HTTP/1.0\r\n\r\n')
  t.match(await old.response(), { status: 200, body: 'a' }, 'and are left out where they cannot be sent')
})

t.test('forwards responses without a body', async t => {
  const { origin } = await setup(t, {
    handler: () => (request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '5' }).end()
      else if (request.headers['if-none-match']) response.writeHead(304, { etag: '"1"' }).end()
      else response.writeHead(204).end()
    }
  })
  const client = await connectRaw(t, origin)
  client.send(`HEAD /jobs HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await client.response('HEAD'))?.header('content-length'), '5')
  client.send(`GET /jobs HTTP/1.1\r\n${HOST}If-None-Match: "1"\r\n\r\n`)
  t.match(await client.response(), { status: 304 })
  client.send(`DELETE /webhooks/1 HTTP/1.1\r\n${HOST}\r\n`)
  const gone = await client.response('DELETE')
  t.equal(gone?.status, 204)
  t.notOk(gone?.header('content-length') ?? gone?.header('transfer-encoding'))
  t.equal(client.rest(), '')
})

t.test('aborts the request when its client leaves', async t => {
  const open = new Set<IncomingMessage>()
  const { origin } = await setup(t, {
    handler: () => (request, response) => {
      open.add(request)
      request.on('error', () => {}).resume()
      response.on('close', () => open.delete(request))
    }
  })
  for (const head of ['GET /jobs?wait=30 HTTP/1.1', 'POST /submit-job HTTP/1.1\r\nContent-Length: 100']) {
    const client = await connectRaw(t, origin)
    client.send(`${head}\r\n${HOST}\r\n`)
    await until(() => open.size === 1)
    client.socket.destroy()
    await until(() => open.size === 0, { what: 'the service to see the client leave' })
  }
})

t.test('takes no more of a body than its service reads, and no more of a response than its client reads', async t => {
  const chunk = Buffer.alloc(1024 * 1024)
  const all = 200
  let answered = 0
  const { origin } = await setup(t, {
    handler: () => (request, response) => {
      request.on('error', () => {})
      if (request.method === 'POST') return request.pause()
      response.on('drain', writeAll)
      writeAll()
      function writeAll () {
        while (answered++ < all) if (!response.write(chunk)) return
      }
    }
  })
  const client = await connectRaw(t, origin)
  client.socket.pause()
  client.send(`GET /jobs HTTP/1.1\r\n${HOST}\r\n`)
  const sender = await connectRaw(t, origin)
  let sent = 0
  const sendAll = () => { while (sent++ < all) if (!sender.socket.write(chunk)) return }
  sender.socket.on('drain', sendAll)
  sender.send(`POST /submit-job HTTP/1.1\r\n${HOST}Content-Length: ${all * chunk.length}\r\n\r\n`)
  sendAll()
  await until(() => answered > 0 && sent > 0)
  for (let before = -1; before !== answered + sent; await sleep(200)) before = answered + sent
  t.ok(answered < all, `${answered} MiB of a response were taken`)
  t.ok(sent < all, `${sent} MiB of a body were taken`)
})

t.test('a response that breaks off also breaks off at the client', async t => {
  const { origin } = await setup(t, {
    handler: () => (_request, response) => {
      response.writeHead(200).write('half')
      setImmediate(() => response.destroy())
    }
  })
  const client = await connectRaw(t, origin)
  client.send(`GET /jobs HTTP/1.1\r\n${HOST}\r\n`)
  t.match(await client.response(), { status: 200, isWhole: false })
})

t.test('a refusal before the end of the request body reaches the client', async t => {
  const { origin } = await setup(t, {
    handler: () => (request, response) => {
      response.writeHead(401, { 'content-type': 'text/plain' }).end('no')
      request.resume()
    }
  })
  const client = await connectRaw(t, origin)
  client.send(`POST /submit-job HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\n`)
  t.match(await client.response('POST'), { status: 401, body: 'no' })
  client.send(Buffer.alloc(1_000_000))
  client.send(`GET /jobs HTTP/1.1\r\n${HOST}\r\n`)
  t.match(await client.response(), { status: 401 }, 'the connection serves on')
})

t.test('answers pipelined requests in order, a few at a time', async t => {
  let now = 0
  let most = 0
  const { origin } = await setup(t, {
    handler: () => (request, response) => {
      most = Math.max(most, ++now)
      setImmediate(() => { now--; response.end(request.url) })
    }
  })
  const client = await connectRaw(t, origin)
  client.send(Array.from({ length: 500 }, (_, i) => `GET /jobs/${i} HTTP/1.1\r\n${HOST}\r\n`).join(''))
  for (let i = 0; i < 500; i++) t.match(await client.response(), { body: `/jobs/${i}` })
  t.ok(most <= 8, `${most} at a time`)
})

t.test('accepts an absolute URL as the target, and refuses two hosts', async t => {
  const { origin } = await setup(t)
  const client = await connectRaw(t, origin)
  client.send(`GET http://tidings.test/jobs?a=b HTTP/1.1\r\n${HOST}\r\n`)
  t.match(JSON.parse((await client.response())?.body ?? ''), { name: 'jobs-api', url: '/jobs?a=b' })
  for (const hosts of ['', `${HOST}Host: other.test\r\n`]) {
    const client = await connectRaw(t, origin)
    client.send(`GET /jobs HTTP/1.1\r\n${hosts}\r\n`)
    t.match(await client.response(), { status: 400, body: /urn:tidings:problem/ })
  }
})

t.test('answers invalid HTTP with a problem', async t => {
  const { origin } = await setup(t)
  const cases: [string, number][] = [
    ['GET /jobs/ü HTTP/1.1\r\n' + HOST + '\r\n', 400],
    [`GET /jobs HTTP/1.1\r\n${HOST}X: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    [`POST /submit-job HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    [`POST /submit-job HTTP/1.1\r\n${HOST}Content-Length: x\r\n\r\n`, 400],
    [`POST /submit-job HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    [`CONNECT other.test:443 HTTP/1.1\r\n${HOST}\r\n`, 405],
    [`GET /jobs HTTP/1.1\r\n${HOST}Expect: tea\r\n\r\n`, 417],
    ['nonsense\r\n\r\n', 501]
  ]
  for (const [text, status] of cases) {
    const client = await connectRaw(t, origin)
    client.send(text)
    const response = await client.response()
    t.equal(response?.status, status, text.slice(0, 60))
    t.match(response?.header('content-type'), 'application/problem+json')
    t.match(JSON.parse(response?.body ?? ''), { status })
    await client.closed
  }
  const cut = await connectRaw(t, origin)
  cut.send(`POST /submit-job HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhalf`)
  cut.halfClose()
  t.match(await cut.response(), { status: 400, body: /"The connection ended before the request did"/ })
})

t.test('a request waits for a restarting service, with its body', async t => {
  const { origin, jobsApi } = await setup(t, { config: { holdMs: 30_000 } })
  await (await fetch(`${origin}/jobs`)).text() // a connection that the kill ends
  const { port } = new URL(jobsApi.url)
  kill(jobsApi)
  const waiting = [
    fetch(`${origin}/jobs`),
    fetch(`${origin}/submit-job`, { method: 'POST', body: 'x'.repeat(100_000) })
  ]
  const back = createServer(named('back'))
  t.teardown(() => { back.close(); back.closeAllConnections() })
  await new Promise<void>(resolve => { back.listen(Number(port), '127.0.0.1', resolve) })
  const [read, written] = await Promise.all(waiting) as [Response, Response]
  t.match(await read.json(), { name: 'back' })
  t.equal((await written.json() as Answer).body.length, 100_000)
})

t.test('a request that a service may have started to process is sent again only if it is safe', async t => {
  let asked = 0
  const { origin } = await setup(t, {
    config: { holdMs: 5000 },
    handler: name => (request, response) => {
      if (++asked === 1) request.socket.destroy()
      else named(name)(request, response)
    }
  })
  t.equal((await fetch(`${origin}/submit-job`, { method: 'POST', body: '{}' })).status, 502)
  t.equal(asked, 1)
  asked = 0
  t.equal((await fetch(`${origin}/jobs`)).status, 200)
  t.ok(asked > 1, 'how often depends on what else fails meanwhile')
})

t.test('limits the number of waiting requests', async t => {
  const { origin, jobsApi } = await setup(t, { config: { holdMs: 3000, heldMax: 1 } })
  kill(jobsApi)
  const first = fetch(`${origin}/jobs`).then(({ status }) => { answers.push(`held ${status}`) })
  const answers: string[] = []
  await new Promise(resolve => setTimeout(resolve, 100)) // it waits from its first failure on
  await fetch(`${origin}/jobs`).then(({ status }) => { answers.push(`refused ${status}`) })
  await first
  t.same(answers, ['refused 502', 'held 502'])
})

t.test('an EventSource never gets a status at which it gives up', async t => {
  const { origin, gatewayServers } = await setup(t, {
    config: { holdMs: 600 },
    handler: () => (_request, response) => { response.writeHead(503).end() }
  })
  const ask = (accept: string) => fetch(`${origin}/events`, { headers: { accept } })
  await t.rejects(
    ask('text/event-stream'),
    'of a gateway that closes: the connection ends, which a browser takes for a reason to come back'
  )
  t.equal((await ask('*/*')).status, 503, 'who is no EventSource gets the answer')
  kill(gatewayServers[0] as Parameters<typeof kill>[0])
  await t.rejects(ask('text/event-stream'))
  t.equal((await ask('*/*')).status, 502)
})

t.test('pages of allowed origins can read responses of the edge itself', async t => {
  const { origin, jobsApi } = await setup(t, { config: { CORS_ORIGIN: 'https://app.example/' } })
  kill(jobsApi)
  const page = { origin: 'https://app.example' }
  for (const [path, status] of [['/jobs', 502], ['/nothing', 404]] as const) {
    const { status: actual, headers } = await fetch(origin + path, { headers: page })
    t.equal(actual, status)
    t.equal(headers.get('access-control-allow-origin'), 'https://app.example')
    t.equal(headers.get('access-control-allow-credentials'), 'true')
    t.notOk((await fetch(origin + path, {
      headers: { origin: 'https://other.example' }
    })).headers.has('access-control-allow-origin'))
  }
  const preflight = await fetch(`${origin}/jobs`, {
    method: 'OPTIONS',
    headers: { ...page, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }
  })
  t.equal(preflight.status, 204, 'else a page could not send what it is to read the answer of')
  t.equal(preflight.headers.get('access-control-allow-headers'), 'authorization')
})
