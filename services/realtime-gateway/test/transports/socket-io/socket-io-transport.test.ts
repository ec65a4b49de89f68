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

t.test('unsent bytes are counted until they are sent', async t => {
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  io.engine.on('connection', flushOncePerTick)
  t.teardown(() => io.close())
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const connected = once(io, 'connection') as Promise<[Socket]>
  const client = connect(
    `http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'], reconnection: false }
  )
  t.teardown(() => client.disconnect())
  const [socket] = await connected

  const transport = new SocketIoTransport(socket)
  const received = new Promise(resolve => { client.once('job:progress', resolve) })
  transport.write(new Frame('job:progress', `"${'日'.repeat(1000)}"`))
  t.ok(transport.unsentBytes >= 3000, `${transport.unsentBytes} bytes`)
  t.equal(transport.unsentPackets, 1)
  await received
  await until(() => transport.unsentBytes === 0 && transport.unsentPackets === 0)
})
