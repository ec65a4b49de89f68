import { get } from 'node:http'
import t from 'tap'
import WebSocket from 'ws'
import { tokenOf, until, type TestContext } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../../src/session/transport.ts'
import { connect } from '../setup/transports.ts'
import { startGateway, startReplica, startSurroundings } from '../setup/gateway.ts'

// Far more handshakes than sessions that the gateway opens per second, none with a valid token.
const HANDSHAKES = 300
const CONNECTS_PER_SECOND = '60'
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

const surroundings = await startSurroundings(t)
const { url } = await startGateway(t, surroundings, { REALTIME_CONNECTS_PER_SECOND: CONNECTS_PER_SECOND })
const wsUrl = url.replace('http', 'ws')

/** Each resolves once the gateway has answered. */
const floods: Record<string, (t: TestContext) => Promise<unknown>> = {
  'requests for /events without a token': () => requestOf('/events'),
  'requests for /events with a bad token': () => requestOf('/events', { authorization: 'Bearer nonsense' }),
  'requests for /events with a bad ticket': () => requestOf('/events?ticket=nonsense'),
  'requests for tickets without a token': () => requestOf('/auth/ticket', {}, 'POST'),
  'handshakes of /ws without a token': t => webSocketOf(t, `${wsUrl}/ws`),
  'handshakes of Socket.IO that say nothing': t => webSocketOf(t, `${wsUrl}/socket.io/?EIO=4&transport=websocket`),
  'handshakes of Socket.IO with a bad token': t => webSocketOf(
    t, `${wsUrl}/socket.io/?EIO=4&transport=websocket`, '40{"token":"nonsense"}'
  ),
  'handshakes of Socket.IO by polling': () => requestOf('/socket.io/?EIO=4&transport=polling')
}

for (const [name, request] of Object.entries(floods)) {
  t.test(`${name} lock nobody out`, async t => {
    const flood = Promise.all(upTo(HANDSHAKES).map(() => request(t)))
    for (const kind of TRANSPORT_KINDS) {
      await t.resolves(connect[kind](t, url, { token: tokenOf(`${name} ${kind}`) }), kind)
    }
    await flood
    for (const kind of TRANSPORT_KINDS) {
      await t.resolves(connect[kind](t, url, { token: tokenOf(`${name} ${kind}`) }), kind)
    }
  })
}

t.test('a user who connects without end is refused alone', async t => {
  const { url } = await startGateway(
    t, surroundings, { REALTIME_CONNECTS_PER_SECOND: '100', REALTIME_MAX_SESSIONS: '1' }
  )
  const token = tokenOf('greedy')
  const answers = await Promise.all(
    upTo(400).map(() => requestOf('/auth/ticket', { authorization: `Bearer ${token}` }, 'POST', url))
  )
  t.ok(answers.filter(status => status === 201).length >= 100)
  t.ok(answers.includes(503))
  for (const kind of TRANSPORT_KINDS) {
    await t.resolves(connect[kind](t, url, { token: tokenOf(`modest ${kind}`) }), kind)
  }
})

t.test('a refused token is logged with the reason, at debug level only', async t => {
  const { url, process } = await startReplica(t, surroundings, { LOG_LEVEL: 'debug' })
  for (const kind of TRANSPORT_KINDS) {
    await t.rejects(connect[kind](t, url, { token: tokenOf(1, { secret: 'another secret of at least 32 bytes' }) }))
  }
  const reasons = () => process.output().split('\n').filter(line => line.includes('"reason":')).map(
    line => JSON.parse(line) as Record<string, unknown>
  )
  await until(() => reasons().length >= TRANSPORT_KINDS.length)
  for (const line of reasons()) t.match(line, { code: 'token_invalid', reason: /signature/i, level: 20 })
})

function requestOf (path: string, headers: Record<string, string> = {}, method = 'GET', base = url): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(`${base}${path}`, { headers, method, agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
  })
}

function webSocketOf (t: TestContext, address: string, greeting?: string): Promise<unknown> {
  const socket = new WebSocket(address)
  t.teardown(() => socket.terminate())
  socket.on('error', () => {})
  return new Promise(resolve => {
    socket.once('message', () => {
      if (greeting === undefined) return resolve('open')
      socket.once('message', resolve)
      socket.send(greeting)
    })
    socket.once('close', resolve)
  })
}
