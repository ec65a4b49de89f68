import type { WebSocket, WebSocketServer } from 'ws'

const PING_MS = 25_000

/** Pings all clients, and terminates those that did not answer the previous ping. Returns what stops the pings. */
export function keepAlive (server: WebSocketServer, pingMs = PING_MS): () => void {
  const silent = new WeakSet<WebSocket>()
  server.on('connection', client => client.on('pong', () => silent.delete(client)))
  const timer = setInterval(() => {
    for (const client of server.clients) {
      if (silent.has(client)) client.terminate()
      silent.add(client)
      client.ping()
    }
  }, pingMs).unref()
  return () => clearInterval(timer)
}
