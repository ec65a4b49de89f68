import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import type { TestContext } from '@tidings/testing'
import { pacedServer, serviceOptions } from '../src/index.ts'

async function start (t: TestContext, app: FastifyInstance): Promise<number> {
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as { port: number }).port
}

/** Sends requests on one connection without waiting for their responses; resolves with all that came back. */
async function exchange (port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', chunk => { answer += chunk })
  const closed = new Promise<void>((resolve, reject) => socket.once('close', () => resolve()).once('error', reject))
  socket.write(text)
  await closed
  return answer
}

const get = (path: number | string, headers = '') => `GET /${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`
const post = (body: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`

t.test('few of thousands of pipelined requests are in progress, all are answered, others are served', async t => {
  let inHand = 0
  let most = 0
  let answered = 0
  const app = Fastify(serviceOptions({ LOG_LEVEL: 'silent' }))
  app.get('/:n', async request => {
    most = Math.max(most, ++inHand)
    await turn()
    inHand--
    answered++
    return `<${(request.params as { n: string }).n}>`
  })
  app.get('/other', async () => String(answered))
  const port = await start(t, app)

  const count = 5000
  const requests = Array.from({ length: count }, (_, i) => get(i, i === count - 1 ? 'Connection: close\r\n' : ''))
  const all = exchange(port, requests.join(''))
  const before = Number(await (await fetch(`http://127.0.0.1:${port}/other`)).text())
  const bodies = [...(await all).matchAll(/<(\d+)>/g)].map(([, n]) => Number(n))

  t.same(bodies, Array.from({ length: count }, (_, i) => i))
  t.ok(most <= 8, `${most} in hand`)
  t.ok(before < count, `another connection was served after ${before} of ${count}`)
})

t.test('a listener that replaces others, as engine.io\'s does, is paced too', async t => {
  let inHand = 0
  let most = 0
  const app = Fastify({ serverFactory: pacedServer })
  app.get('/end', async () => '<end>')
  const own = app.server.listeners('request') as RequestListener[]
  app.server.removeAllListeners('request').on('request', (request, response) => {
    if (request.url === '/end') return own.forEach(listener => listener(request, response))
    most = Math.max(most, ++inHand)
    setImmediate(() => {
      inHand--
      response.end('<ok>')
    })
  })
  const port = await start(t, app)
  const answer = await exchange(port, get('other').repeat(100) + get('end', 'Connection: close\r\n'))
  t.equal([...answer.matchAll(/<ok>/g)].length, 100)
  t.ok(most > 0 && most <= 8, `${most} in hand`)
})

t.test('pipelined bodies arrive whole', async t => {
  const app = Fastify(serviceOptions({ LOG_LEVEL: 'silent' }))
  app.post('/', async request => `<${String(request.body).length}>`)
  app.get('/end', async () => '<end>')
  const port = await start(t, app)
  const sizes = Array.from({ length: 200 }, (_, i) => 1 + i * 37 % 5000)
  const answer = await exchange(
    port, sizes.map(size => post('x'.repeat(size))).join('') + get('end', 'Connection: close\r\n')
  )
  t.same([...answer.matchAll(/<(\w+)>/g)].map(([, text]) => text), [...sizes.map(String), 'end'])
})

t.test('the connection of a client that left is closed once a response to it is written', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const app = Fastify({ serverFactory: pacedServer })
  app.get('/:n', async () => { await held; return 'ok' })
  const gone = new Promise<void>(resolve =>
    app.server.once('connection', socket => socket.once('close', () => resolve())))
  const port = await start(t, app)

  const socket = connect(port, '127.0.0.1')
  await new Promise<void>(
    resolve => { socket.write(Array.from({ length: 100 }, (_, i) => get(i)).join(''), () => resolve()) }
  )
  socket.destroy()
  release()
  await gone
})

t.test('a connection is not read while its requests wait', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const app = Fastify({ serverFactory: pacedServer, forceCloseConnections: true })
  app.get('/held', async () => { await held; return 'ok' })
  app.get('/other', async () => 'ok')
  const accepted = new Promise<Socket>(resolve => app.server.once('connection', resolve))
  const port = await start(t, app)
  const client = connect(port, '127.0.0.1')
  const sent = get('held').repeat(100_000)
  client.write(sent)
  const connection = await accepted
  for (let i = 0; i < 20; i++) t.equal(await (await fetch(`http://127.0.0.1:${port}/other`)).text(), 'ok')
  t.ok(connection.bytesRead > 0 &&
    connection.bytesRead < sent.length / 4, `${connection.bytesRead} of ${sent.length} bytes were read`)
  client.destroy()
  release()
})
