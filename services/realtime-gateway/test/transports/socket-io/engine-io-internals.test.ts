import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Server } from 'socket.io'
import t from 'tap'
import { until, type TestContext } from '@tidings/testing'
import { Frame } from '../../../src/session/frame.ts'
import { SocketIoTransport } from '../../../src/transports/socket-io/socket-io-transport.ts'
import { flushOncePerTick } from '../../../src/transports/socket-io/engine-io-internals.ts'

const HANDSHAKE = [
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''
].join('\r\n')
/** `40`: connects to the main namespace. Masked with zeros. */
const CONNECT = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30])

/** One list per tick, with sizes around those at which a frame's header grows. */
const ticks = [[10], [10, 100, 200], [70_000, 10], Array.from({ length: 50 }, (_, i) => i * 3)]

type Send = (socket: import('socket.io').Socket, event: string, payload: object) => void

/** All bytes that a client receives from a server, and the number of writes. */
async function record (t: TestContext, send: Send, prepare: (io: Server) => void): Promise<{
  bytes: Buffer, writes: number
}> {
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  io.engine.generateId = () => 'same-id' // else the first packet differs
  prepare(io)
  t.teardown(() => io.close())
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const connected = once(io, 'connection')
  const client = connect((http.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => client.destroy())
  const chunks: Buffer[] = []
  client.on('data', chunk => { chunks.push(chunk) }).write(HANDSHAKE)
  await until(() => chunks.length > 0)
  client.write(CONNECT)
  const [socket] = await connected as [import('socket.io').Socket]
  const writes = countWrites(
    (socket.conn as unknown as { transport: { socket: { _socket: Socket } } }).transport.socket._socket
  )
  for (const sizes of ticks) {
    for (const size of sizes) send(socket, 'job:progress', { progress: 'x'.repeat(size) })
    await new Promise(resolve => { setImmediate(resolve) })
  }
  send(socket, 'end', {})
  await until(() => Buffer.concat(chunks).includes('["end"'))
  const whole = Buffer.concat(chunks)
  // The bytes after the namespace's own packet, whose session id is random.
  return { bytes: whole.subarray(whole.indexOf('42["')), writes: writes() }
}

function countWrites (socket: Socket): () => number {
  let writes = 0
  const handle = (socket as unknown as { _handle: Record<string, (...args: unknown[]) => unknown> })._handle
  for (const name of ['writev', 'writeUtf8String', 'writeLatin1String', 'writeBuffer']) {
    const write = handle[name]
    if (!write) continue
    handle[name] = (...args) => {
      writes++
      return write.apply(handle, args)
    }
  }
  return () => writes
}

const plainly: Send = (socket, event, payload) => { socket.emit(event, payload) }

const byTransport: Send = (socket, event, payload) => {
  socket.data.transport ??= new SocketIoTransport(socket)
  socket.data.transport.write(new Frame(event, JSON.stringify(payload)))
}

t.test('frames of one tick are sent in one write, with the same bytes as Socket.IO\'s own', async t => {
  const plain = await record(t, plainly, () => {})
  const corked = await record(t, byTransport, io => io.engine.on('connection', flushOncePerTick))
  t.ok(plain.bytes.length > 70_000)
  t.ok(plain.bytes.equals(corked.bytes))
  t.ok(
    corked.writes <= ticks.length + 2, `${corked.writes} writes for ${ticks.length + 1} ticks, ${plain.writes} without`
  )
})

t.test('packets of Socket.IO itself keep their place between frames', async t => {
  let sent = 0
  const plain = await record(t, plainly, () => {})
  const mixed = await record(
    t,
    (...args) => { (sent++ % 3 === 2 ? plainly : byTransport)(...args) },
    io => io.engine.on('connection', flushOncePerTick)
  )
  t.ok(plain.bytes.equals(mixed.bytes))
  t.ok(mixed.writes <= ticks.length + 2, `${mixed.writes} writes for ${ticks.length + 1} ticks`)
})
