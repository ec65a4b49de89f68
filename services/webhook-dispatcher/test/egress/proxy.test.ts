import { setImmediate } from 'node:timers/promises'
import { TEST_CERTIFICATE as cert, freePort, startReceiver } from '@tidings/testing'
import t from 'tap'
import { createResolve } from '../../src/egress/resolve.ts'
import { attempter } from './attempter.ts'
import { startBlackhole } from './blackhole.ts'
import { startDnsServer } from './dns-server.ts'
import { startProxy } from './proxy-server.ts'
import { onRequest, rawServer } from './raw-server.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

t.test('deliveries go through the proxy, to an address that was resolved and judged here', async t => {
  const proxy = await startProxy(t)
  const receiver = await startReceiver(t)
  const secure = await rawServer(t, onRequest(socket => { socket.write(OK) }), { secure: true })
  const server = await startDnsServer(t, () => ['10.1.2.3'])
  const url = proxy.url.replace('http://', 'http://scott:ti%3Ager@')
  const attempt = attempter(
    t, { proxy: { url, resolves: 'here' }, resolve: createResolve({ servers: [server] }), ca: cert }
  )
  t.match(await attempt(`http://receiver.test:${receiver.port}/hook`), { ok: true, status: 200 })
  t.match(await attempt(`https://receiver.test:${secure}/`), { ok: true, status: 200 })
  const authorization = `Basic ${Buffer.from('scott:ti:ger').toString('base64')}`
  t.same(
    proxy.tunnels,
    [{ authority: `10.1.2.3:${receiver.port}`, authorization }, { authority: `10.1.2.3:${secure}`, authorization }]
  )
  t.equal(receiver.requests[0]?.headers.host, `receiver.test:${receiver.port}`)
  t.equal(receiver.requests[0]?.headers['proxy-authorization'], undefined, 'credentials are the proxy\'s alone')
})

t.test('what the rules don\'t allow does not reach the proxy', async t => {
  const proxy = await startProxy(t)
  const server = await startDnsServer(t, () => ['10.1.2.3', '169.254.169.254'])
  const attempt = attempter(
    t,
    { proxy: { url: proxy.url, resolves: 'here' }, resolve: createResolve({ servers: [server] }), allowPrivate: false }
  )
  t.match(await attempt('http://inner.test/'), { ok: false, errorClass: 'blocked' })
  const naming = attempter(t, { proxy: { url: proxy.url, resolves: 'proxy' }, allowPrivate: false })
  t.match(await naming('http://127.0.0.1/'), { ok: false, errorClass: 'blocked' })
  t.same(proxy.tunnels, [])
})

t.test('the proxy may resolve names', async t => {
  const proxy = await startProxy(t)
  const receiver = await startReceiver(t)
  const attempt = attempter(t, { proxy: { url: proxy.url, resolves: 'proxy' } })
  t.match(await attempt(`http://known-to-the-proxy.test:${receiver.port}/`), { ok: true })
  t.same(proxy.tunnels.map(({ authority }) => authority), [`known-to-the-proxy.test:${receiver.port}`])
})

t.test('a tunnel is kept, and one that has died is replaced within the attempt', async t => {
  const proxy = await startProxy(t)
  let requests = 0
  const port = await rawServer(t, socket => {
    socket.on('data', () => {
      if (requests++ === 2) socket.destroy()
      else socket.write(OK)
    })
  })
  const attempt = attempter(t, { proxy: { url: proxy.url, resolves: 'here' } })
  for (let i = 0; i < 3; i++) {
    t.match(await attempt(`http://127.0.0.1:${port}/`), { ok: true })
    await setImmediate()
  }
  t.equal(proxy.tunnels.length, 2)
  t.equal(requests, 4)
})

const answers = { 403: 'blocked', 502: 'connect', 503: 'connect', 504: 'connect' }
for (const [status, errorClass] of Object.entries(answers)) {
  t.test(`a proxy that answers ${status} reports a fault of the endpoint`, async t => {
    const proxy = await startProxy(t, () => Number(status))
    t.match(
      await attempter(t, { proxy: { url: proxy.url, resolves: 'here' } })('http://127.0.0.1:9/'),
      { ok: false, errorClass }
    )
  })
}

t.test('a proxy that is gone, refuses our credentials, or answers otherwise is an own fault', async t => {
  const proxies = [
    'http://127.0.0.1:1',
    'http://nobody.invalid:3128',
    (await startProxy(t, () => 407)).url,
    (await startProxy(t, () => 500)).url,
    `http://127.0.0.1:${await rawServer(t, onRequest(socket => { socket.end('SSH-2.0-OpenSSH_9.9\r\n') }))}`,
    `http://127.0.0.1:${await rawServer(t, onRequest(socket => { socket.destroy() }))}`
  ]
  for (const url of proxies) await t.rejects(attempter(t, { proxy: { url, resolves: 'here' } })('http://127.0.0.1:9/'), { name: 'OwnFault', reason: 'proxy' }, url)
})

t.test('a proxy that takes long to open a tunnel is waiting for the endpoint', async t => {
  const url = `http://127.0.0.1:${await rawServer(t, () => {})}`
  const attempt = attempter(t, { proxy: { url, resolves: 'here' }, connectTimeoutMs: 1000 })
  t.match(await attempt('http://127.0.0.1:9/', { timeoutMs: 20_000 }), { ok: false, errorClass: 'timeout' })
})

t.test('a proxy that can\'t be connected to in time is an own fault', async t => {
  const port = await freePort()
  const address = await startBlackhole(t, port)
  const attempt = attempter(
    t, { proxy: { url: `http://${address}:${port}`, resolves: 'here' }, connectTimeoutMs: 2000 }
  )
  await t.rejects(attempt('http://127.0.0.1:9/', { timeoutMs: 20_000 }), { name: 'OwnFault', reason: 'proxy' })
})
