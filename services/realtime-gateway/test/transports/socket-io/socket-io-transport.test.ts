import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { io as connect } from 'socket.io-client'
import t from 'tap'
import { until } from '@tidings/testing'
import { Frame } from '../../../src/session/frame.ts'
import { flushOncePerTick } from '../../../src/transports/socket-io/engine-io-internals.ts'
import { SocketIoTransport } from '../../../src/transports/socket-io/socket-io-transport.ts'

t.test('what is unsent is counted in bytes, until it has left', async t => {
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  io.engine.on('connection', flushOncePerTick)
  t.teardown(() => io.close())
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const connected = once(io, 'connection') as Promise<[Socket]>
  const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'], reconnection: false })
  t.teardown(() => client.disconnect())
  const [socket] = await connected

  const wire = new SocketIoTransport(socket)
  const received = new Promise(resolve => { client.once('job:progress', resolve) })
  wire.write(new Frame('job:progress', `"${'日'.repeat(1000)}"`))
  t.ok(wire.unsentBytes >= 3000, `${wire.unsentBytes} bytes`)
  t.equal(wire.unsentPackets, 1)
  await received
  await until(() => wire.unsentBytes === 0 && wire.unsentPackets === 0)
})
