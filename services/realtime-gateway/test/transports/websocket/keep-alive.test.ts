import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { keepAlive } from '../../../src/transports/websocket/keep-alive.ts'

/** Long enough for an answer on a busy machine. */
const PING_MS = 1000

t.test('clients are pinged, and terminated if they do not answer', async t => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const stop = keepAlive(server, PING_MS)
  t.teardown(() => {
    stop()
    server.close()
  })
  await once(server, 'listening')
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const join = async (autoPong: boolean) => {
    const client = new WebSocket(url, { autoPong })
    t.teardown(() => client.terminate())
    await once(client, 'open')
    return client
  }
  const [silent, answering] = [await join(false), await join(true)]
  const gone = once(silent, 'close')
  await once(silent, 'ping')
  await gone
  t.equal(answering.readyState, WebSocket.OPEN)
})
