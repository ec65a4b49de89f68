import { get, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import t from 'tap'
import { WebSocket } from 'ws'
import { tokenOf } from '@tidings/testing'
import { startGateway, startSurroundings } from '../../setup/gateway.ts'

const surroundings = await startSurroundings(t)
const { url } = await startGateway(t, surroundings)
const address = `${url.replace('http', 'ws')}/ws`

function messagesOf (socket: WebSocket, count: number): Promise<unknown[]> {
  t.teardown(() => socket.terminate())
  const messages: unknown[] = []
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.on('message', (data: Buffer) => {
      messages.push(JSON.parse(data.toString()))
      if (messages.length === count) resolve(messages)
    })
  })
}

t.test('of the subprotocols only tidings.v1 is echoed, never the one that carries the token', async t => {
  const socket = new WebSocket(address, [`bearer.${tokenOf(7)}`, 'tidings.v1'])
  t.match(await messagesOf(socket, 1), [{ event: 'session', data: { userId: 7 } }])
  t.equal(socket.protocol, 'tidings.v1')
})

t.test('the token may come in the Authorization header, with no subprotocol at all', async t => {
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${tokenOf(7)}` } })
  t.match(await messagesOf(socket, 1), [{ event: 'session', data: { userId: 7 } }])
  t.equal(socket.protocol, '')
})

t.test('a command with an id is answered by an ack with the same id, one without is not answered', async t => {
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${tokenOf(7)}` } })
  socket.once('open', () => {
    for (const command of [{ event: 'unsubscribe:job', data: 'a' }, { event: 'unsubscribe:job', data: 'a', id: 'x' }]) {
      socket.send(JSON.stringify(command))
    }
  })
  const [, ack] = await messagesOf(socket, 2)
  t.same(ack, { event: 'ack', data: { id: 'x', ok: true } })
})

t.test('a plain request gets 426', async t => {
  const response = await fetch(`${url}/ws`)
  t.equal(response.status, 426)
})

t.test('a handshake that is not valid is refused by a problem that says why', async t => {
  const handshake = { connection: 'Upgrade', upgrade: 'websocket', authorization: `Bearer ${tokenOf(7)}` }
  const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  for (const [headers, detail] of [
    [{ 'sec-websocket-version': '13' }, /Sec-WebSocket-Key/],
    [{ ...key, 'sec-websocket-version': '7' }, /Sec-WebSocket-Version/],
    [{ ...key, 'sec-websocket-version': '13', 'sec-websocket-protocol': 'a,,b' }, /Sec-WebSocket-Protocol/]
  ] as const) {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/ws`, { headers: { ...handshake, ...headers } }, resolve).once('error', reject)
    })
    t.match(response, {
      statusCode: 400, headers: { 'content-type': 'application/problem+json', 'sec-websocket-version': '13' }
    })
    t.match(await json(response), { type: 'urn:tidings:problem:malformed-request', detail })
  }
})

t.test('a HEAD request opens no stream', async t => {
  for (const path of ['/events', '/jobs/a/stream']) {
    const response = await fetch(
      `${url}${path}`, { method: 'HEAD', headers: { authorization: `Bearer ${tokenOf(7)}` } }
    )
    t.equal(response.status, 405, path)
  }
})
