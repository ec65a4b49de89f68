import type { IncomingMessage, Server } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '@tidings/testing'
import t from 'tap'
import { kill, named, setup } from './setup.ts'

t.test('forwards each path to its service', async t => {
  const { ask } = await setup(t)
  const owners = {
    '/submit-job': 'jobs-api',
    '/submit-jobs': 'jobs-api',
    '/jobs': 'jobs-api',
    '/jobs?page=2&name=a%20b': 'jobs-api',
    '/jobs/1': 'jobs-api',
    '/jobs/1/events': 'jobs-api',
    '/jobs/1/cancel': 'jobs-api',
    '/auth/refresh': 'jobs-api',
    '/auth/ticket': 'gateway',
    '/jobs/1/stream': 'gateway',
    '/events': 'gateway',
    '/socket.io/?EIO=4&transport=polling': 'gateway',
    '/webhooks': 'dispatcher',
    '/webhooks/legacy/secret': 'dispatcher',
    '/deliveries/1': 'dispatcher'
  }
  for (const [path, name] of Object.entries(owners)) {
    t.match(await ask(path), { name, url: path }, path)
  }
})

t.test('forwards a request unchanged, with the address of its sender', async t => {
  const { ask, origin } = await setup(t)
  const answer = await ask('/submit-job', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer x',
      'idempotency-key': 'k',
      'x-request-id': 'r1',
      'x-forwarded-for': '10.0.0.1'
    },
    body: '{"name": "a" }'
  })
  t.match(answer, {
    method: 'POST',
    body: '{"name": "a" }',
    headers: {
      authorization: 'Bearer x',
      'idempotency-key': 'k',
      'x-request-id': 'r1',
      'x-forwarded-for': '10.0.0.1, 127.0.0.1',
      'x-forwarded-host': new URL(origin).host
    }
  })
  t.match(await ask('/webhooks/1', { method: 'DELETE' }), { method: 'DELETE' })
  t.match(await ask('/jobs', { method: 'OPTIONS' }), { method: 'OPTIONS' }, 'CORS is the services\' own')
})

t.test('passes on a 503 of a service at once, with its Retry-After', async t => {
  let asked = 0
  const { origin } = await setup(t, {
    handler: () => (_request, response) => {
      asked++
      response.writeHead(503, { 'retry-after': '7' }).end('{}')
    }
  })
  const response = await fetch(`${origin}/jobs`)
  t.equal(response.status, 503)
  t.equal(response.headers.get('retry-after'), '7')
  t.equal(asked, 1)
})

t.test('answers with a 502 that names the service while a service is down', async t => {
  const { app, origin, jobsApi } = await setup(t)
  jobsApi.server.close()
  jobsApi.server.closeAllConnections()
  const response = await fetch(`${origin}/jobs`)
  t.equal(response.status, 502)
  t.match(response.headers.get('content-type'), 'application/problem+json')
  t.match(await response.json(), {
    status: 502,
    title: 'Bad Gateway',
    detail: /^jobs-api is not reachable/,
    instance: /^urn:request:/
  })
  const health = await fetch(`${origin}/healthz`)
  t.equal(health.status, 503)
  t.match(await health.json(), {
    status: 'unready',
    services: {
      'jobs-api': { status: 'unreachable', reason: 'ECONNREFUSED' },
      'webhook-dispatcher': { name: 'dispatcher' }
    }
  })
  t.equal((await app.inject('/livez')).statusCode, 200)
})

t.test('streams a response as it is written, and ends it at the service when the client leaves', async t => {
  let isOpen = false
  const { origin } = await setup(t, {
    handler: () => (_request, response) => {
      isOpen = true
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      response.once('close', () => { isOpen = false })
    }
  })
  const gone = new AbortController()
  const response = await fetch(`${origin}/events`, { signal: gone.signal })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  t.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'data: 1\n\n')
  t.ok(isOpen)
  gone.abort()
  await until(() => !isOpen, { what: 'the service to see the client leave' })
})

t.test('merges the OpenAPI documents of all services into one page', async t => {
  const document = (name: string) => ({
    info: { title: name, version: '1.0.0' },
    servers: [{ url: '/' }],
    tags: [{ name }],
    paths: { [`/${name}`]: { get: { tags: [name] } } },
    components: { schemas: { Problem: {}, [name]: {} }, securitySchemes: { bearer: { type: 'http' } } }
  })
  const { origin } = await setup(t, {
    handler: name => (_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document(name)))
    }
  })
  const merged = await (await fetch(`${origin}/openapi.json`)).json() as {
    servers: object[]
    tags: object[]
    paths: object
    components: { schemas: object }
  }
  t.same(merged.servers, [{ url: '/' }])
  t.same(merged.tags, [{ name: 'jobs-api' }, { name: 'gateway' }, { name: 'dispatcher' }])
  t.same(Object.keys(merged.paths), ['/jobs-api', '/gateway', '/dispatcher'])
  t.same(Object.keys(merged.components.schemas), ['Problem', 'jobs-api', 'gateway', 'dispatcher'])
  const page = await fetch(`${origin}/docs`)
  t.equal(page.status, 200)
  const html = await page.text()
  t.match(html, 'Tidings')
  for (const setting of [
    /"showDeveloperTools": ?"never"/,
    /"agent": ?\{\s*"disabled": ?true/,
    /"mcp": ?\{\s*"disabled": ?true/,
    /"telemetry": ?false/
  ]) {
    t.match(html, setting, 'the page offers no services of its vendor')
  }
})

t.test('balances over several gateways, but keeps long polling at one', async t => {
  const { ask, origin } = await setup(t, { gateways: ['g1', 'g2', 'g3'] })
  const turns = [await ask('/events'), await ask('/events'), await ask('/events')].map(({ name }) => name)
  t.same(turns.toSorted(), ['g1', 'g2', 'g3'])

  const polls = [
    await ask('/socket.io/?EIO=4&transport=polling'),
    await ask('/socket.io/?EIO=4&transport=polling&sid=x')
  ]
  t.equal(polls[0]?.name, polls[1]?.name, 'by address, for clients that keep no cookies')

  const response = await fetch(`${origin}/socket.io/?EIO=4&transport=polling`, {
    headers: { cookie: 'a=b; tidings_gateway=2' }
  })
  t.match(response.headers.get('set-cookie'), 'tidings_gateway=2; Path=/socket.io')
  t.match(await response.json(), { name: 'g3' })
})

t.test('leaves out a gateway that is down, and sends safe requests to another one', async t => {
  const { origin, gatewayServers } = await setup(t, { gateways: ['g1', 'g2'] })
  kill(gatewayServers[0] as { server: Server })
  const moved = await fetch(`${origin}/socket.io/?EIO=4&transport=polling`, {
    headers: { cookie: 'tidings_gateway=0' }
  })
  t.match(await moved.json(), { name: 'g2' })
  t.same(
    moved.headers.getSetCookie(),
    ['tidings_gateway=1; Path=/socket.io; HttpOnly; SameSite=Lax'],
    'its own cookie alone'
  )
  for (let i = 0; i < 6; i++) t.equal((await fetch(`${origin}/events`)).status, 200)
  kill(gatewayServers[1] as { server: Server })
  const response = await fetch(`${origin}/events`)
  t.equal(response.status, 502)
  t.match(await response.json(), { detail: /^realtime-gateway is not reachable/ })
})

t.test('when a gateway goes down, only its own long polling moves, and only once', async t => {
  const names = ['g1', 'g2', 'g3']
  const { ask, gatewayServers } = await setup(t, { gateways: names })
  const poll = async () => (await ask('/socket.io/?EIO=4&transport=polling&sid=x')).name
  const own = await poll()
  const [other, last] = names.filter(name => name !== own).map(name => gatewayServers[names.indexOf(name)])
  kill(other as { server: Server })
  // Enough requests to any gateway for the edge to notice.
  for (let i = 0; i < 6; i++) await ask('/events')
  for (let i = 0; i < 3; i++) t.equal(await poll(), own)

  kill(gatewayServers[names.indexOf(own)] as { server: Server })
  const next = await poll()
  t.equal(next, names[gatewayServers.indexOf(last as typeof gatewayServers[number])])
  for (let i = 0; i < 3; i++) t.equal(await poll(), next)
})

t.test('a cookie leads to its gateway while that accepts clients, and for its sessions in any case', async t => {
  let draining = ''
  const { ask, origin } = await setup(t, {
    gateways: ['g1', 'g2'],
    handler: name => (request, response) => {
      if (request.url === '/readyz' && name === draining) response.writeHead(503).end()
      else named(name)(request, response)
    }
  })
  const init = { headers: { cookie: 'tidings_gateway=1' } }
  t.match(await ask('/socket.io/?EIO=4&transport=polling', init), { name: 'g2' })
  draining = 'g2'
  await until(async () => (await ask('/socket.io/?EIO=4&transport=polling', init)).name === 'g1', {
    what: 'the edge to notice'
  })
  const response = await fetch(`${origin}/socket.io/?EIO=4&transport=polling`, init)
  t.match(response.headers.get('set-cookie'), 'tidings_gateway=0')
  t.match(
    await ask('/socket.io/?EIO=4&transport=polling&sid=x', init),
    { name: 'g2' },
    'its sessions are served to their end'
  )
  t.match(await ask('/events'), { name: 'g1' })
  draining = ''
  await until(async () => (await ask('/socket.io/?EIO=4&transport=polling', init)).name === 'g2', {
    what: 'the edge to notice that it is back'
  })
})

t.test('WebSockets', async t => {
  /** Responds with 101, then echoes what it receives, in capitals. */
  const shouting = (server: Server, seen: IncomingMessage[]) => server.on('upgrade', (request, socket, head) => {
    seen.push(request)
    if (request.headers.authorization === 'Bearer bad') {
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
      return
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n')
    const echo = (chunk: Buffer) => { socket.write(chunk.toString().toUpperCase()) }
    if (head.length > 0) echo(head)
    socket.on('data', echo).on('error', () => {})
  })

  const open = (origin: string, { path = '/socket.io/?EIO=4&transport=websocket', headers = '', after = '' } = {}) => {
    const { hostname, port } = new URL(origin)
    const socket = connect({ host: hostname, port: Number(port) })
    let received = ''
    let isClosed = false
    socket.on('data', chunk => { received += chunk }).on('close', () => { isClosed = true }).on('error', () => {})
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: tidings.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n${after}`
    )
    return { socket, received: () => received, isClosed: () => isClosed }
  }

  await t.test('pass byte for byte, the first bytes included', async t => {
    const { origin, gatewayServers } = await setup(t)
    const seen: IncomingMessage[] = []
    shouting(gatewayServers[0]?.server as Server, seen)
    const client = open(origin, { headers: 'Sec-WebSocket-Protocol: tidings.v1, bearer.x\r\n', after: 'early ' })
    await until(() => client.received().endsWith('EARLY '), { what: 'the echo of the first bytes' })
    client.socket.write('late')
    await until(() => client.received().endsWith('EARLY LATE'), { what: 'the echo of later bytes' })
    t.match(client.received(), /^HTTP\/1\.1 101 /)
    t.match(seen[0], {
      url: '/socket.io/?EIO=4&transport=websocket',
      headers: {
        host: 'tidings.test',
        'sec-websocket-protocol': 'tidings.v1, bearer.x',
        'x-forwarded-for': '127.0.0.1'
      }
    })
    client.socket.destroy()
  })

  await t.test('are refused with the response of the service', async t => {
    const { origin, gatewayServers } = await setup(t)
    shouting(gatewayServers[0]?.server as Server, [])
    const client = open(origin, { path: '/ws', headers: 'Authorization: Bearer bad\r\n' })
    await until(client.isClosed, { what: 'the refusal' })
    t.match(client.received(), /^HTTP\/1\.1 401 /)
  })

  await t.test('are plain requests at other paths, and are refused while the service is down', async t => {
    const { origin, gatewayServers } = await setup(t)
    const elsewhere = open(origin, { path: '/jobs' })
    await until(() => elsewhere.received().includes('"name":"jobs-api"'), {
      what: 'the answer that a plain request gets'
    })
    t.match(elsewhere.received(), /^HTTP\/1\.1 200 /)
    t.notMatch(elsewhere.received(), /"upgrade":/)
    elsewhere.socket.destroy()

    gatewayServers[0]?.server.close()
    const away = open(origin)
    await until(away.isClosed, { what: 'the refusal' })
    t.match(away.received(), /^HTTP\/1\.1 502 [^]*realtime-gateway is not reachable/)
  })

  await t.test('that clients reset do not harm the edge', async t => {
    const { app, origin, gatewayServers } = await setup(t)
    kill(gatewayServers[0] as { server: Server })
    const sockets = new Set<Duplex>()
    app.server.on('upgrade', (_request, socket) => { sockets.add(socket) })
    for (let i = 0; i < 10; i++) open(origin, { path: '/ws' }).socket.resetAndDestroy()
    const last = open(origin, { path: '/ws' })
    await until(last.isClosed, { what: 'the response to a client that does not reset' })
    t.match(last.received(), /^HTTP\/1\.1 502 /)
    await until(() => [...sockets].every(({ closed }) => closed))
  })

  await t.test('go to another gateway when one is down', async t => {
    const { origin, gatewayServers } = await setup(t, { gateways: ['g1', 'g2', 'g3'] })
    for (const { server } of gatewayServers) shouting(server, [])
    kill(gatewayServers[0] as { server: Server })
    kill(gatewayServers[2] as { server: Server })
    for (let i = 0; i < 4; i++) {
      const client = open(origin, { after: 'hello' })
      await until(() => client.received().endsWith('HELLO'), { what: 'the echo' })
      client.socket.destroy()
    }
  })

  await t.test('slow down a gateway whose client does not read', async t => {
    const { origin, gatewayServers } = await setup(t)
    const gateway = gatewayServers[0]?.server as Server
    let written = 0
    gateway.on('upgrade', (_request, socket) => {
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n')
      const chunk = Buffer.alloc(1024 * 1024)
      const writeAll = () => {
        while (written < 200 * chunk.length) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', writeAll)
      writeAll()
    })
    const client = open(origin)
    client.socket.pause()
    await until(() => written > 0, { what: 'the gateway to write' })
    for (let before = -1; before !== written; await sleep(200)) before = written
    t.ok(written < 200 * 1024 * 1024, `${written} bytes were taken for a client that reads none`)
    client.socket.destroy()
  })

  await t.test('end on both sides', async t => {
    const { app, origin, gatewayServers } = await setup(t)
    const seen: IncomingMessage[] = []
    shouting(gatewayServers[0]?.server as Server, seen)
    const one = open(origin)
    await until(() => one.received().includes('101'), { what: 'the upgrade' })
    let isClosed = false
    seen[0]?.socket.once('end', () => { isClosed = true })
    one.socket.destroy()
    await until(() => isClosed, { what: 'the gateway to see the client leave' })

    const two = open(origin)
    await until(() => two.received().includes('101'), { what: 'the upgrade' })
    await app.close()
    await until(two.isClosed, { what: 'the edge\'s close to reach the client' })
  })
})

t.test('answers other paths with a 404 of its own', async t => {
  const { origin } = await setup(t)
  const response = await fetch(`${origin}/nothing-here`)
  t.equal(response.status, 404)
  t.match(await response.json(), { status: 404, detail: 'No route GET /nothing-here' })
})

t.test('the script of /docs is compressed and cached', async t => {
  const { origin } = await setup(t)
  const script = /src="([^"]*\.js)"/.exec(await (await fetch(`${origin}/docs`)).text())?.[1] as string
  const url = new URL(script, `${origin}/docs/`)
  const first = await fetch(url, { headers: { 'accept-encoding': 'br' } })
  t.equal(first.headers.get('content-encoding'), 'br')
  await first.arrayBuffer()
  t.ok(Number(first.headers.get('content-length')) < 2_000_000)
  t.equal((await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') as string } })).status, 304)
})
