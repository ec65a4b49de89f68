import type { IncomingMessage } from 'node:http'
import type { Socket as Connection } from 'engine.io'
import fp from 'fastify-plugin'
import { Server, type Socket } from 'socket.io'
import { bearerToken, reasonOf, TokenRefused } from '@tidings/contracts'
import { corsOrigins } from '@tidings/service-kit'
import { outcomeOf, TooManyConnects, TooManySessions } from '../../admission/admission.ts'
import { clientAddress } from '../../admission/forwarded.ts'
import type { Answer } from '../../session/commands.ts'
import type { Grant, Session } from '../../session/session.ts'
import { useClusterAdapter } from './cluster-adapter.ts'
import { connectionOf, connectionsOf, flushOncePerTick, forgetHeaders, requestOf } from './engine-io-internals.ts'
import { limitPendingConnections } from './pending-connections.ts'
import { SocketIoTransport } from './socket-io-transport.ts'

export const SOCKET_IO_PATH = '/socket.io/'

/** How long a connection may take to request its session. Until then its user is unknown. */
const CONNECT_TIMEOUT_MS = 10_000

/** The message in which engine.io wraps the error of ws. */
const TOO_LARGE = /Max payload size exceeded/

/** Socket.IO: a session for each client. Decorates `app.io`. */
export const socketIo = fp(async function socketIo (app) {
  const { config, admission, sessions, commands, meters, log } = app
  const allowed = corsOrigins(config)
  const io = new Server({
    path: SOCKET_IO_PATH,
    serveClient: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: config.REALTIME_MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    httpCompression: false,
    cors: { origin: allowed === true ? '*' : allowed, methods: ['GET', 'POST'], credentials: allowed !== true },
    allowRequest: (request, decide) => decide(null, isAllowed(request))
  })
  const adapter = useClusterAdapter(io, {
    redis: app.redis,
    log,
    onMalformed: () => meters.malformedMessages.inc()
  })
  io.attach(app.server, { destroyUpgrade: false }) // other upgrades belong to the WebSocket transport
  io.engine.on('connection', flushOncePerTick)
  const pending = limitPendingConnections({ onEvicted: () => countConnect('evicted') })
  io.engine.on('connection', (connection: Connection) => {
    pending.add(connection, clientAddress(requestOf(connection)))
  })
  io.engine.use((request: IncomingMessage, _response: unknown, proceed: () => void) => {
    if (Number(request.headers['content-length']) > config.REALTIME_MAX_MESSAGE_BYTES) countTooLarge()
    proceed()
  })

  const connecting = new WeakSet<Socket['conn']>()
  io.use((socket, proceed) => {
    // Socket.IO itself refuses a second request once there is a session, but not a thousand before the first answer.
    if (connecting.has(socket.conn)) return socket.conn.close(true)
    connecting.add(socket.conn)
    admit(socket, proceed).catch(proceed)
  })
  io.on('connection', socket => open(socket))

  // A client that is refused here tries again by itself; after a `connect_error` of the middleware it would not.
  function isAllowed (request: IncomingMessage): boolean {
    try {
      app.requireOrigin(request)
      admission.assertAccepting()
      return true
    } catch (err) {
      countConnect(outcomeOf(err))
      log.debug({ err }, 'socket.io: connection refused')
      return false
    }
  }

  async function admit (socket: Socket, proceed: (err?: Error) => void) {
    try {
      const { userId } = socket.handshake.auth as { userId?: unknown }
      const request = { token: tokenOf(socket), userId, route: SOCKET_IO_PATH, requestId: socket.id }
      const grant = await admission.admit(request)
      socket.data.grant = grant
      // Released by the end of the session, or of a connection that never got one, whichever comes first.
      socket.conn.once('close', grant.release)
      if (socket.conn.readyState !== 'open') grant.release()
      countConnect('ok')
      proceed()
    } catch (err) {
      connecting.delete(socket.conn)
      countConnect(outcomeOf(err))
      const refusal = connectError(err)
      const isFault = !refusal && !(err instanceof TooManyConnects)
      const reason = err instanceof TokenRefused && { code: err.code, reason: reasonOf(err) }
      log[isFault ? 'error' : 'debug']({ err, ...reason }, 'socket.io: session refused')
      if (refusal) proceed(refusal)
      else socket.conn.close() // not the client's fault: it reconnects by itself
    }
  }

  function open (socket: Socket) {
    const session = sessions.open(new SocketIoTransport(socket), socket.data.grant as Grant)
    const { receive } = commands(session, sessions.begin(session, lastEventIdOf(socket)))
    connecting.delete(socket.conn)
    pending.remove(connectionOf(socket))
    forgetHeaders(socket)
    socket.on('disconnect', (_reason, description: unknown) => {
      if (TOO_LARGE.test(String(description))) countTooLarge()
      session.closed()
    })
    socket.on('error', socketFailed)
    socket.onAny((name: string, ...args: unknown[]) => {
      receive(name, args[0], answerOf(session, args.at(-1))).catch(commandFailed)
    })
  }

  const countConnect = (outcome: string) => meters.connects.inc({ transport: 'socket.io', outcome })
  const countTooLarge = () => meters.refusedCommands.inc({ reason: 'size' })
  const commandFailed = (err: unknown) => log.error({ err }, 'socket.io: command failed')
  const socketFailed = (err: Error) => log.debug({ err }, 'socket.io: connection failed')

  app.decorate('io', io)
  // The sessions are drained. The server would still wait for a connection that has none.
  app.addHook('preClose', async () => {
    for (const connection of connectionsOf(io)) {
      if (connection.readyState === 'open') connection.close(true)
    }
  })
  app.addHook('onClose', async () => {
    await io.of('/').adapter.close()
    io.engine.close()
    adapter.close()
  })
}, { name: 'socket-io', dependencies: ['admission', 'origins', 'sessions'] })

/** Acknowledges a command. The packet is Socket.IO's own and bypasses the send buffer. */
function answerOf (session: Session, last: unknown): Answer {
  if (typeof last !== 'function') return undefined
  return ack => {
    last(ack)
    session.sendBuffer.checkAfterDirectWrite()
  }
}

function tokenOf ({ handshake }: Socket): string | undefined {
  const { token } = handshake.auth as { token?: unknown }
  return typeof token === 'string' ? token.replace(/^Bearer +/i, '') : bearerToken(handshake.headers.authorization)
}

function lastEventIdOf ({ handshake }: Socket): string | undefined {
  const { lastEventId } = handshake.auth as { lastEventId?: unknown }
  return typeof lastEventId === 'string' ? lastEventId : undefined
}

/** The error for a client that has to change something before it reconnects. */
function connectError (err: unknown): Error | undefined {
  if (err instanceof TokenRefused) return withCode('unauthorized', err.code)
  if (err instanceof TooManySessions) return withCode('too many sessions', 'too_many_sessions')
  const { statusCode, scope } = err as { statusCode?: number, scope?: string }
  if (statusCode === 403 && scope !== undefined) return withCode('forbidden', 'insufficient_scope', { scope })
  if (statusCode === 400) return withCode('invalid', 'user_id_invalid')
}

function withCode (message: string, code: string, more: object = {}) {
  return Object.assign(new Error(message), { data: { code, ...more } })
}

declare module 'fastify' {
  interface FastifyInstance { io: Server }
}
