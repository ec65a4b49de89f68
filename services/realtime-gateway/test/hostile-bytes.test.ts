import { connect as connectTcp } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { WebSocket } from 'ws'
import { tokenOf, until } from '@tidings/testing'
import { near } from '@tidings/testing/fuzz'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import { startReplica, startSurroundings } from './setup/gateway.ts'
import { connect } from './setup/transports.ts'

// What no client sends: bytes that are no HTTP, handshakes that are broken off, packets of no protocol.

const TOKEN = tokenOf('hostile')
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const polling = (body: string) => 'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n' +
  `Content-Length: ${body.length}\r\n\r\n${body}`

const REQUESTS = near(
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  `GET /ws?token=${TOKEN} HTTP/1.1\r\nHost: a\r\n${UPGRADE}`,
  `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n${UPGRADE}\x81\x82\0\0\0\0{}`,
  `GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\nLast-Event-ID: 1-0\r\n\r\n`,
  'GET /socket.io/?EIO=3&transport=polling&sid=x&j=0 HTTP/1.1\r\nHost: a\r\n\r\n',
  polling('40\x1e42["subscribe:job",7]'), polling('4:2,b64'),
  'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n'
)

/** Messages of engine.io and Socket.IO, and of the plain WebSocket. */
const MESSAGES = near(
  `40{"token":"${TOKEN}"}`, '42["subscribe:job",{"jobId":"7"}]', '421["auth:refresh",{}]', '41', '43[]', '2', '3', '5', '6',
  '451-["a",{"_placeholder":true,"num":0}]', '44{"a":1}', '4/other,{}', '{"event":"subscribe:job","data":"7"}', '[[[['
)

const SEED = 16
const samples = <T>(of: fc.Arbitrary<T>, numRuns: number) => fc.sample(of, { seed: SEED, numRuns })

/** Sends bytes and the end of the stream; resolves when the server has closed, or has answered and waits. */
async function sendBytes (port: number, text: string): Promise<void> {
  const socket = connectTcp({ host: '127.0.0.1', port }).on('error', () => {})
  const closed = new Promise(resolve => { socket.on('close', resolve) })
  socket.once('data', () => socket.destroy())
  socket.end(Buffer.from(text, 'latin1'))
  socket.resume()
  await closed
}

/** Sends messages over a WebSocket, as text and as bytes, whatever is answered. */
async function sendMessages (url: string, messages: string[]): Promise<void> {
  const socket = new WebSocket(url, ['tidings.v1', `bearer.${TOKEN}`]).on('error', () => {})
  const closed = new Promise(resolve => { socket.on('close', resolve) })
  socket.once('open', () => {
    messages.forEach((message, i) => socket.send(i % 3 === 0 ? Buffer.from(message) : message))
    socket.close()
  })
  await closed
}

t.test('hostile bytes and messages end their own connection, and disturb nobody else', async t => {
  const surroundings = await startSurroundings(t)
  const { url, process } = await startReplica(t, surroundings)
  const port = Number(new URL(url).port)
  const clients = await Promise.all(TRANSPORT_KINDS.map(kind => connect[kind](t, url, { token: tokenOf('innocent') })))

  for (const text of samples(REQUESTS, 60)) await sendBytes(port, text)
  const ws = url.replace('http', 'ws')
  const paths = ['/socket.io/?EIO=4&transport=websocket', '/ws']
  for (const path of paths) {
    for (const messages of samples(fc.array(MESSAGES, { minLength: 1, maxLength: 8 }), 30)) {
      const first = path.startsWith('/socket.io') ? [`40{"token":"${TOKEN}"}`] : []
      await sendMessages(ws + path, [...first, ...messages])
    }
  }

  t.equal(process.process.exitCode, null)
  await until(async () => (await fetch(`${url}/readyz`)).status === 200, { what: 'the gateway to be ready' })
  await surroundings.jobs.publish({ userId: 'innocent', jobId: 'a', progress: 1 })
  for (const client of clients) {
    await client.waitFor('job:progress')
    t.same(client.received.map(({ event }) => event), ['session', 'job:progress'])
  }
})
