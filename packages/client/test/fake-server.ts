import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { TestContext } from '@tidings/testing'
import { createClient, type Channel, type Client, type ClientOptions } from '../src/index.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface FakeServer {
  url: string
  /** Paths with queries, in the order in which they were asked for; those of WebSockets too. */
  requests: string[]
  onRequest: Handler
  onSocket: (socket: WebSocket, url: URL) => void
  client: (channels?: Channel[], options?: Partial<ClientOptions>) => Client
}

/** A server that does what a test says, however wrong. */
export async function startFakeServer (t: TestContext): Promise<FakeServer> {
  const requests: string[] = []
  const http = createServer((request, response) => {
    requests.push(request.url ?? '')
    response.on('error', () => {})
    fake.onRequest(request, response)
  })
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'tidings.v1' })
  sockets.on('connection', (socket, request) => {
    requests.push(request.url ?? '')
    socket.on('error', () => {})
    fake.onSocket(socket, new URL(request.url ?? '', 'http://fake.test'))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const clients: Client[] = []
  t.teardown(() => {
    for (const client of clients) client.close()
    for (const socket of sockets.clients) socket.terminate()
    http.close()
    http.closeAllConnections()
  })
  const fake: FakeServer = {
    url,
    requests,
    onRequest: (_request, response) => { response.writeHead(404).end() },
    onSocket: socket => socket.close(),
    client: (channels, options) => {
      const client = createClient({ url, token: 'token', channels, ...options })
      clients.push(client)
      return client
    }
  }
  return fake
}

export function json (
  response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export const frame = (event: unknown, data: unknown) => JSON.stringify({ event, data })

export const session = (lastEventId = '100-0', recovered = false) =>
  frame('session', { userId: 1, recovered, lastEventId, expiresAt: null })

export const progress = (n: number, eventId = `${1000 + n}-0`, jobId = 'j') =>
  frame('job:progress', { eventId, jobId, name: 'x', queue: 'default', userId: 1, progress: n, timestamp: n })

export const job = (fields: object = {}) => ({
  id: 'j',
  name: 'x',
  queue: 'default',
  state: 'active',
  progress: 0,
  lastEventId: '50-0',
  attempts: { made: 1, max: 1 },
  timestamp: { created: 1, started: 1, finished: null },
  ...fields
})
