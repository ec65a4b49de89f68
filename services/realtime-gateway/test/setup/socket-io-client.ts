import { io } from 'socket.io-client'
import type { TestContext } from '@tidings/testing'
import { Client, Refused, type ConnectOptions } from './client.ts'

type Pausable = { engine: { transport: { ws?: { _socket: { pause: () => void, resume: () => void } } } } }

/** Connects by Socket.IO; resolves with the `session`. */
export async function connectSocketIo (t: TestContext, url: string, { token, lastEventId, origin, transports = ['websocket'] }: ConnectOptions): Promise<Client> {
  const socket = io(url, {
    auth: { token, lastEventId },
    transports,
    reconnection: false,
    forceNew: true,
    autoConnect: false,
    extraHeaders: origin === undefined ? {} : { origin }
  })
  const net = () => (socket.io as unknown as Pausable).engine.transport.ws?._socket
  const client = new Client({
    command: (event, data) => socket.timeout(5000).emitWithAck(event, data),
    close: () => socket.disconnect(),
    hang: () => net()?.pause(),
    read: () => net()?.resume()
  })
  t.teardown(client.close)
  socket.onAny((event: string, data: Record<string, unknown>) => { client.told.push({ event, data }) })
  socket.on('disconnect', () => { client.gone = true })
  await new Promise((resolve, reject) => {
    socket.once('session', resolve)
    socket.once('disconnect', reject)
    socket.once('connect_error', (err: Error & { data?: { code: string }, context?: { status?: number } }) => {
      reject(new Refused(err.data?.code ?? 'connection'))
    })
    socket.connect()
  })
  return client
}
