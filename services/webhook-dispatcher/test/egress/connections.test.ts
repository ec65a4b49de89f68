import type { Socket } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { TEST_CERTIFICATE as cert, startReceiver, until } from '@tidings/testing'
import t from 'tap'
import { createResolve } from '../../src/egress/resolve.ts'
import { attempter } from './attempter.ts'
import { startBlackhole } from './blackhole.ts'
import { startDnsServer } from './dns-server.ts'
import { rawServer } from './raw-server.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

const deaths: Record<string, (socket: Socket) => void> = {
  'is reset': socket => { socket.resetAndDestroy() },
  'is closed': socket => { socket.end() },
  'is gone': socket => { socket.destroy() }
}
for (const secure of [false, true]) {
  for (const [how, die] of Object.entries(deaths)) {
    if (secure && how === 'is reset') continue // Node has no way to
    t.test(`a kept connection${secure ? ' with TLS' : ''} that ${how} as the next request comes costs no attempt`, async t => {
      const ids: string[] = []
      let sockets = 0
      const port = await rawServer(t, socket => {
        let requests = 0
        sockets++
        socket.on('data', bytes => {
          const [, id] = /webhook-id: (\S+)/.exec(bytes.toString()) ?? []
          if (id) ids.push(id)
          if (requests++ === 0) socket.write(OK)
          else die(socket)
        })
      }, { secure })
      const attempt = attempter(t, { ca: cert, resolve: async () => ({ addresses: ['127.0.0.1'] }) })
      for (let i = 1; i <= 5; i++) {
        const outcome = await attempt(
          `${secure ? 'https' : 'http'}://receiver.test:${port}/`, { headers: { 'webhook-id': `${i}-0` } }
        )
        t.match(outcome, { ok: true, status: 200 })
        await setImmediate() // undici gives a server that much time to close it after all
      }
      t.ok(sockets > 1)
      t.same([...new Set(ids)], ['1-0', '2-0', '3-0', '4-0', '5-0'])
    })
  }
}

t.test('a new connection that ends without an answer is a reset, also after one that was kept', async t => {
  let requests = 0
  const port = await rawServer(t, socket => {
    socket.on('data', () => {
      if (requests++ === 0) socket.write(OK)
      else socket.destroy()
    })
  })
  const attempt = attempter(t)
  t.match(await attempt(`http://127.0.0.1:${port}/`), { ok: true })
  await setImmediate()
  t.match(await attempt(`http://127.0.0.1:${port}/`), { ok: false, errorClass: 'reset' })
  t.equal(requests, 3, 'one that was kept, and one more')
})

t.test('a request is not repeated once its response has begun', async t => {
  let requests = 0
  const port = await rawServer(t, socket => {
    socket.on('data', () => {
      if (requests++ === 0) socket.write(OK)
      else socket.end('HTT')
    })
  })
  const attempt = attempter(t)
  await attempt(`http://127.0.0.1:${port}/`)
  await setImmediate()
  t.match(await attempt(`http://127.0.0.1:${port}/`), { ok: false, errorClass: 'reset' })
  t.equal(requests, 2)
})

t.test('the deadline holds for the repetition too', async t => {
  let sockets = 0
  const port = await rawServer(t, socket => {
    const isFirst = sockets++ === 0
    let requests = 0
    socket.on('data', () => {
      if (!isFirst) return
      if (requests++ === 0) socket.write(OK)
      else socket.destroy()
    })
  })
  const attempt = attempter(t)
  await attempt(`http://127.0.0.1:${port}/`)
  await setImmediate()
  t.match(
    await attempt(`http://127.0.0.1:${port}/`, { timeoutMs: 500 }),
    { ok: false, errorClass: 'timeout', message: 'No answer within 500 ms' }
  )
})

t.test('a connection has a maximum age, so that a changed DNS name is followed', async t => {
  const sockets = new Set<Socket>()
  const port = await rawServer(t, socket => {
    sockets.add(socket)
    socket.on('data', () => socket.write(OK))
  })
  let addresses = ['127.0.0.1']
  const server = await startDnsServer(t, () => addresses)
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }), maxAgeMs: 300, allowPrivate: true })
  t.match(await attempt(`http://moving.test:${port}/`), { ok: true })
  addresses = ['169.254.169.254']
  await until(async () => {
    await sleep(20)
    return !(await attempt(`http://moving.test:${port}/`)).ok
  }, { what: 'the new address to be used' })
  await until(() => [...sockets].every(({ destroyed }) => destroyed), { what: 'the old connection to be closed' })
})

t.test('after a silent connection, the other kept ones to its origin are not used again', async t => {
  let sockets = 0
  let isDead = false
  const port = await rawServer(t, socket => {
    const isOld = sockets++ < 3
    socket.on('data', () => { if (!(isDead && isOld)) socket.write(OK) })
  })
  const attempt = attempter(t)
  const url = `http://127.0.0.1:${port}/`
  await Promise.all([attempt(url), attempt(url), attempt(url)])
  t.equal(sockets, 3)
  isDead = true
  await setImmediate()
  t.match(await attempt(url, { timeoutMs: 500 }), { ok: false, errorClass: 'timeout' })
  for (let i = 0; i < 3; i++) t.match(await attempt(url, { timeoutMs: 5000 }), { ok: true })
})

t.test('kept connections stay in use while others of the origin answer', async t => {
  let sockets = 0
  const port = await rawServer(t, socket => {
    sockets++
    socket.on('data', bytes => { if (!bytes.includes('/hangs')) socket.write(OK) })
  })
  const attempt = attempter(t)
  const url = `http://127.0.0.1:${port}/`
  await Promise.all([attempt(url), attempt(url)])
  await setImmediate()
  const [hanging, well] = await Promise.all([
    attempt(`${url}hangs`, { timeoutMs: 500 }), sleep(100).then(async () => await attempt(url))
  ])
  t.match([hanging.ok, well.ok], [false, true])
  t.match(await attempt(url), { ok: true })
  t.equal(sockets, 2)
})

t.test('an unresponsive address costs the other addresses no attempt', async t => {
  const receiver = await startReceiver(t)
  const blackhole = await startBlackhole(t, receiver.port)
  const server = await startDnsServer(t, () => [blackhole, '127.0.0.1'])
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }) })
  const outcome = await attempt(`http://receiver.test:${receiver.port}/`)
  t.match(outcome, { ok: true, status: 200 })
  t.equal(receiver.requests.length, 1)
})

t.test('a single unresponsive address is waited for until the deadline', async t => {
  const receiver = await startReceiver(t)
  const blackhole = await startBlackhole(t, receiver.port)
  const server = await startDnsServer(t, () => [blackhole])
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }), connectTimeoutMs: 1500 })
  const outcome = await attempt(`http://receiver.test:${receiver.port}/`)
  t.match(outcome, { ok: false, errorClass: 'timeout', message: 'Could not connect in time' })
  t.ok(outcome.durations.totalMs >= 1499)
})

t.test('an unreachable address costs the other addresses no attempt', async t => {
  const receiver = await startReceiver(t)
  const server = await startDnsServer(t, () => ['127.0.0.1', '2001:db8::1'])
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }) })
  t.match(await attempt(`http://receiver.test:${receiver.port}/`), { ok: true })
})

t.test('names that are answered for IPv4 alone are connected to at once', async t => {
  const receiver = await startReceiver(t)
  const server = await startDnsServer(t, (_name, { type }) => type === 'A' ? ['127.0.0.1'] : 'silence')
  const attempt = attempter(t, { resolve: createResolve({ servers: [server] }) })
  const { ok, durations } = await attempt(`http://receiver.test:${receiver.port}/`)
  t.equal(ok, true)
  t.ok((durations.dnsMs ?? 0) < 1000, `${durations.dnsMs} ms`)
})
