import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection that are handled at a time; those that a client pipelines beyond wait their turn. */
const MAX_IN_HAND = 8
/** Requests of one connection that may wait: more than one read of a socket (64 KiB) can hold. Beyond, it is closed. */
const MAX_WAITING = 4096

type Exchange = [request: IncomingMessage, response: ServerResponse]
type Connection = { inHand: number, waiting: Exchange[] }
type PacedOptions = { http?: unknown, keepAliveTimeout?: number, requestTimeout?: number, connectionTimeout?: number }

/**
 * Fastify's `serverFactory`: an HTTP/1.1 server on which no connection can occupy the process by pipelining. Node
 * starts every request that it has read, thousands at once, before anybody else is served: here a connection has at
 * most 8 in hand, the rest of them one turn of the event loop later, and the socket is not read meanwhile.
 */
export function pacedServer (handler: RequestListener, options: PacedOptions): Server {
  const server = createServer(options.http as ServerOptions ?? {}, handler)
  paceRequests(server)
  // As Fastify sets them on a server of its own.
  if (options.keepAliveTimeout !== undefined) server.keepAliveTimeout = options.keepAliveTimeout
  if (options.requestTimeout !== undefined) server.requestTimeout = options.requestTimeout
  server.setTimeout(options.connectionTimeout ?? 0)
  return server
}

/** At the event, not in one listener: engine.io puts its own in the place of those that it finds. */
function paceRequests (server: Server): void {
  const emit = server.emit.bind(server)
  const onRequest = paced((request, response) => { emit('request', request, response) })
  server.emit = (event: string, ...args: unknown[]) => {
    if (event !== 'request') return emit(event, ...args)
    onRequest(args[0] as IncomingMessage, args[1] as Exchange[1])
    return true
  }
}

function paced (handler: (...exchange: Exchange) => void): (...exchange: Exchange) => void {
  const connections = new WeakMap<Socket, Connection>()

  return function onRequest (request, response) {
    const { socket } = request
    const connection = connections.get(socket) ?? connect(socket)
    if (connection.inHand < MAX_IN_HAND) start(connection, [request, response])
    else if (connection.waiting.length >= MAX_WAITING) socket.destroy()
    else {
      connection.waiting.push([request, response])
      hold(socket)
    }
  }

  function connect (socket: Socket): Connection {
    const connection = { inHand: 0, waiting: [] }
    connections.set(socket, connection)
    return connection
  }

  function start (connection: Connection, [request, response]: Exchange): void {
    connection.inHand++
    response.once('close', () => {
      connection.inHand--
      if (connection.waiting.length > 0) setImmediate(startNext, connection, request.socket)
    })
    handler(request, response)
  }

  function startNext (connection: Connection, socket: Socket): void {
    const next = connection.inHand < MAX_IN_HAND && !socket.destroyed ? connection.waiting.shift() : undefined
    if (next) start(connection, next)
    if (connection.waiting.length === 0) release(socket)
  }
}

/**
 * Stops reading. Node reads on by itself whenever a request has ended, so its `resume` does nothing until the release;
 * no request in hand needs it, since the ones that wait came after their bodies.
 */
function hold (socket: Socket): void {
  socket.pause()
  socket.resume = () => socket
}

function release (socket: Socket): void {
  Reflect.deleteProperty(socket, 'resume')
  socket.resume()
}
