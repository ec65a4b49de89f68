import {
  createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse
} from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection that are handled at a time; further pipelined requests wait. */
const MAX_IN_PROGRESS = 8
/** Waiting requests of one connection, more than one read of a socket (64 KiB) can contain. Beyond, it is closed. */
const MAX_WAITING = 4096

type Exchange = [request: IncomingMessage, response: ServerResponse]
type Connection = { inProgress: number, waiting: Exchange[] }
type PacedOptions = { http?: unknown, keepAliveTimeout?: number, requestTimeout?: number, connectionTimeout?: number }

/**
 * Fastify's `serverFactory`: an HTTP/1.1 server on which no connection can occupy the process by pipelining. Node
 * starts every request that it has read, thousands at once, before other connections are served: here a connection has
 * at most 8 requests in progress, the next starts one tick of the event loop later, and the socket is not read
 * meanwhile.
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

/** Intercepts the event and not one listener: engine.io replaces the listeners that it finds. */
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
    if (connection.inProgress < MAX_IN_PROGRESS) start(connection, [request, response])
    else if (connection.waiting.length >= MAX_WAITING) socket.destroy()
    else {
      connection.waiting.push([request, response])
      stopReading(socket)
    }
  }

  function connect (socket: Socket): Connection {
    const connection = { inProgress: 0, waiting: [] }
    connections.set(socket, connection)
    return connection
  }

  function start (connection: Connection, [request, response]: Exchange): void {
    connection.inProgress++
    response.once('close', () => {
      connection.inProgress--
      if (connection.waiting.length > 0) setImmediate(startNext, connection, request.socket)
    })
    handler(request, response)
  }

  function startNext (connection: Connection, socket: Socket): void {
    const next = connection.inProgress < MAX_IN_PROGRESS && !socket.destroyed ? connection.waiting.shift() : undefined
    if (next) start(connection, next)
    if (connection.waiting.length === 0) readAgain(socket)
  }
}

/**
 * Stops reading. Node resumes by itself whenever a request has ended, so `resume` does nothing until `readAgain`; no
 * request in progress needs it, since the waiting requests came after their bodies.
 */
function stopReading (socket: Socket): void {
  socket.pause()
  socket.resume = () => socket
}

function readAgain (socket: Socket): void {
  Reflect.deleteProperty(socket, 'resume')
  socket.resume()
}
