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

/** Of one tick each; sizes on both sides of what a frame's header tells in 1, 3 and 9 bytes. */
const ticks = [[10], [10, 100, 200], [70_000, 10], Array.from({ length: 50 }, (_, i) => i * 3)]

type Tell = (socket: import('socket.io').Socket, event: string, payload: object) => void

/** All bytes that a client gets of a server, and how many writes they came from. */
async function record (t: TestContext, tell: Tell, prepare: (io: Server) => void): Promise<{ bytes: Buffer, writes: number }> {
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
  const writes = countWrites((socket.conn as unknown as { transport: { socket: { _socket: Socket } } }).transport.socket._socket)
  for (const sizes of ticks) {
    for (const size of sizes) tell(socket, 'job:progress', { progress: 'x'.repeat(size) })
    await new Promise(resolve => { setImmediate(resolve) })
  }
  tell(socket, 'end', {})
  await until(() => Buffer.concat(chunks).includes('["end"'))
  const whole = Buffer.concat(chunks)
  // What follows the namespace's own packet: its session id is made at random.
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

const plainly: Tell = (socket, event, payload) => { socket.emit(event, payload) }

const byWire: Tell = (socket, event, payload) => {
  socket.data.wire ??= new SocketIoTransport(socket)
  socket.data.wire.write(new Frame(event, JSON.stringify(payload)))
}

t.test('frames of one tick leave in one write, byte for byte the same as Socket.IO sends them', async t => {
  const plain = await record(t, plainly, () => {})
  const corked = await record(t, byWire, io => io.engine.on('connection', flushOncePerTick))
  t.ok(plain.bytes.length > 70_000)
  t.ok(plain.bytes.equals(corked.bytes))
  t.ok(corked.writes <= ticks.length + 2, `${corked.writes} writes for ${ticks.length + 1} ticks, ${plain.writes} without`)
})

t.test('what Socket.IO sends itself keeps its place between them', async t => {
  let told = 0
  const plain = await record(t, plainly, () => {})
  const mixed = await record(t, (...args) => { (told++ % 3 === 2 ? plainly : byWire)(...args) }, io => io.engine.on('connection', flushOncePerTick))
  t.ok(plain.bytes.equals(mixed.bytes))
  t.ok(mixed.writes <= ticks.length + 2, `${mixed.writes} writes for ${ticks.length + 1} ticks`)
})
