import { io } from 'socket.io-client'
import type { TestContext } from '@tidings/testing'
import { ANSWER_MS, Client, Refused, type ConnectOptions } from './client.ts'

type Pausable = { engine: { transport: { ws?: { _socket: { pause: () => void, resume: () => void } } } } }

/** Connects over Socket.IO; resolves with the `session`. */
export async function connectSocketIo (t: TestContext, url: string, {
  token, userId, lastEventId, origin, transports = ['websocket']
}: ConnectOptions): Promise<Client> {
  const socket = io(url, {
    auth: { token, userId, lastEventId },
    transports,
    reconnection: false,
    forceNew: true,
    autoConnect: false,
    extraHeaders: origin === undefined ? {} : { origin }
  })
  const net = () => (socket.io as unknown as Pausable).engine.transport.ws?._socket
  const client = new Client({
    command: (event, data) => new Promise((resolve, reject) => {
      setTimeout(reject, ANSWER_MS, new Error(`${event} was not answered`)).unref()
      socket.emit(event, data, resolve)
    }),
    emit: (event, data) => { socket.emit(event, data) },
    close: () => socket.disconnect(),
    hang: () => net()?.pause(),
    read: () => net()?.resume()
  })
  t.teardown(client.close)
  socket.onAny((event: string, data: Record<string, unknown>) => { client.received.push({ event, data }) })
  socket.on('disconnect', (_reason, details) => {
    client.gone = true
    client.closeCode = (details as { context?: { code?: number } } | undefined)?.context?.code
  })
  await new Promise((resolve, reject) => {
    socket.once('session', resolve)
    socket.once('disconnect', () => reject(new Refused('connection')))
    socket.once('connect_error', (err: Error & { data?: { code: string }, context?: { status?: number } }) => {
      reject(new Refused(err.data?.code ?? 'connection'))
    })
    socket.connect()
  })
  return client
}
