import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { startSystem } from '@tidings/local'
import { temporaryFolder, type TestContext } from '@tidings/testing'
import { buildCli, cliOf } from './run-cli.ts'

const main = await buildCli(t)
const system = await startSystem({
  folder: temporaryFolder(t, 'doctor'),
  ports: 'free',
  report: () => {},
  worker: false,
  env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn' }
})
t.teardown(() => system.stop())
const edge = new URL(system.endpoints.edge as string)

interface Behaviour {
  /** Milliseconds that are added to the date. */
  skewMs?: number
  buffers?: boolean
  upgrades?: boolean
}

/** A proxy in front of the edge with the faults that proxies have. */
async function startProxy (t: TestContext, behaviour: Behaviour): Promise<string> {
  const { skewMs = 0, buffers = false, upgrades = true } = behaviour
  const sockets = new Set<Socket>()
  const proxy = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url, headers } = incoming
    const asked = forward({ host: edge.hostname, port: edge.port, method, path: url, headers }, answer => {
      const date = new Date(Date.parse(answer.headers.date ?? '') + skewMs).toUTCString()
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, date })
      if (!buffers) return answer.pipe(outgoing)
      outgoing.flushHeaders()
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => outgoing.end(Buffer.concat(chunks)))
    })
    asked.on('error', () => outgoing.destroy())
    outgoing.on('close', () => asked.destroy())
    incoming.pipe(asked)
  })
  proxy.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    if (!upgrades) return socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    const upstream = connect(Number(edge.port), edge.hostname, () => {
      const { method, url, rawHeaders } = incoming
      const lines = [`${method} ${url} HTTP/1.1`]
      for (let n = 0; n < rawHeaders.length; n += 2) lines.push(`${rawHeaders[n]}: ${rawHeaders[n + 1]}`)
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [upstream, socket]) end.on('error', () => { upstream.destroy(); socket.destroy() })
  })
  proxy.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => { proxy.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

interface Found { check: string, state: string, detail: string, advice?: string }

async function diagnose (t: TestContext, url: string, token = system.token(1)) {
  const { code, stdout } = await cliOf(t, main).run(['doctor', '--json', '--url', url, '--token', token])
  const found = stdout.trim().split('\n').map(line => JSON.parse(line) as Found)
  return { code, states: Object.fromEntries(found.map(({ check, state }) => [check, state])), found }
}

const HEALTHY = { server: 'ok', clock: 'ok', token: 'ok', sse: 'ok', websocket: 'ok', 'socket.io': 'ok' }

t.test('a healthy system passes, also behind a proxy that behaves', async t => {
  for (const url of [edge.origin, await startProxy(t, {})]) {
    const { code, states } = await diagnose(t, url)
    t.same(states, HEALTHY)
    t.equal(code, 0)
  }
})

t.test('a proxy that buffers is found, and what mends it is said', async t => {
  const { code, states, found } = await diagnose(t, await startProxy(t, { buffers: true }))
  t.same(states, { ...HEALTHY, sse: 'failed' })
  t.match(found.find(({ check }) => check === 'sse'), { detail: /buffers/, advice: /proxy_buffering off/ })
  t.equal(code, 1)
})

t.test('a proxy that blocks WebSockets is found', async t => {
  const { code, states, found } = await diagnose(t, await startProxy(t, { upgrades: false }))
  t.same(states, { ...HEALTHY, websocket: 'failed' })
  t.match(found.find(({ check }) => check === 'websocket'), { advice: /Upgrade/ })
  t.equal(code, 1)
})

t.test('a clock that differs is found', async t => {
  const { code, states, found } = await diagnose(t, await startProxy(t, { skewMs: 20 * 60_000 }))
  t.same(states, { ...HEALTHY, clock: 'failed' })
  t.match(found.find(({ check }) => check === 'clock'), { detail: /behind the server/, advice: /NTP/ })
  t.equal(code, 1)
})

t.test('a token that is refused, a server that is away and one that is another are found', async t => {
  const refused = await diagnose(t, edge.origin, system.token(1, -60_000))
  t.match(refused, { code: 3, states: { server: 'ok', token: 'failed' } })

  const away = await diagnose(t, 'http://127.0.0.1:1')
  t.match(away, { code: 5, states: { server: 'failed', sse: 'skipped' } })

  const other = createServer((_request, response) => { response.end('<h1>It works</h1>') })
  await new Promise<void>(resolve => { other.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { other.close() })
  const { found, code } = await diagnose(t, `http://127.0.0.1:${(other.address() as AddressInfo).port}`)
  t.match(found[0], { check: 'server', state: 'failed', detail: /something else answers: 200/ })
  t.equal(code, 5)
})
