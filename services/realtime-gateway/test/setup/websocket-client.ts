import { WebSocket } from 'ws'
import type { TestContext } from '@tidings/testing'
import { ANSWER_MS, Client, Refused, type ConnectOptions, type Received } from './client.ts'

/** Connects to `/ws`; resolves with the `session`. */
export async function connectWebSocket (t: TestContext, url: string, {
  token, userId, lastEventId, origin
}: ConnectOptions): Promise<Client> {
  const query = new URLSearchParams({
    ...(lastEventId !== undefined && { lastEventId }),
    ...(userId !== undefined && { userId })
  })
  const protocols = token === undefined ? ['tidings.v1'] : ['tidings.v1', `bearer.${token}`]
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/ws?${String(query)}`, protocols, origin === undefined ? {} : { origin }
  )
  let commands = 0
  const answers = new Map<unknown, (ack: Record<string, unknown>) => void>()
  const client = new Client({
    command: (event, data) => new Promise((resolve, reject) => {
      const id = ++commands
      answers.set(id, resolve)
      setTimeout(reject, ANSWER_MS, new Error(`${event} was not answered`)).unref()
      socket.send(JSON.stringify({ event, data, id }))
    }),
    emit: (event, data) => socket.send(JSON.stringify({ event, data })),
    close: () => socket.close(),
    hang: () => socket.pause(),
    read: () => socket.resume()
  })
  t.teardown(() => socket.terminate())
  socket.on('error', () => {}) // `close` follows
  socket.on('close', code => {
    client.gone = true
    client.closeCode = code
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      reject(new Refused(String(response.statusCode)))
    })
    socket.once('close', code => reject(new Refused(String(code))))
    socket.on('message', (text: Buffer) => {
      const { event, data } = JSON.parse(text.toString()) as Received
      if (event === 'ack') answers.get(data.id)?.(data)
      else client.received.push({ event, data })
      if (event === 'session') resolve()
    })
  })
  return client
}
