import type { IncomingMessage } from 'node:http'
import type { Socket as Connection } from 'engine.io'
import fp from 'fastify-plugin'
import { Server, type Socket } from 'socket.io'
import { bearerToken, reasonOf, TokenRefused } from '@tidings/contracts'
import { corsOrigins } from '@tidings/service-kit'
import { outcomeOf, TooManyConnects, TooManySessions } from '../auth/gate.ts'
import type { Pass } from '../auth/pass.ts'
import { clientAddress } from '../auth/peer.ts'
import type { Answer } from '../session/commands.ts'
import type { Session } from '../session/session.ts'
import { connectReplicas } from './between-replicas.ts'
import { corkFlushes } from './corked-flush.ts'
import { SocketIoWire } from './socket-io-wire.ts'
import { boundUnasked } from './unasked-connections.ts'

export const SOCKET_IO_PATH = '/socket.io/'

/** For a connection to ask for its session: until then nobody knows whose it is. */
const CONNECT_TIMEOUT_MS = 10_000

/** What engine.io makes of the error of ws. */
const TOO_LARGE = /Max payload size exceeded/

/** Socket.IO: a session for each client. Decorates `app.io`. */
export const socketIo = fp(async function socketIo (app) {
  const { config, gate, sessions, commands, meters, log } = app
  const allowed = corsOrigins(config)
  const io = new Server({
    path: SOCKET_IO_PATH,
    serveClient: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: config.REALTIME_MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    httpCompression: false,
    cors: { origin: allowed === true ? '*' : allowed, methods: ['GET', 'POST'], credentials: allowed !== true },
    allowRequest: (request, decide) => decide(null, isWelcome(request))
  })
  const replicas = connectReplicas(io, { redis: app.redis, log, onMalformed: () => meters.malformedMessages.inc() })
  io.attach(app.server, { destroyUpgrade: false }) // other upgrades are the WebSocket face's
  io.engine.on('connection', corkFlushes)
  const unasked = boundUnasked({ onEvicted: () => meters.connects.inc({ face: 'socket.io', outcome: 'evicted' }) })
  io.engine.on('connection', (connection: Connection) => unasked.add(connection, clientAddress(requestOf(connection))))
  io.engine.use((request: IncomingMessage, _response: unknown, proceed: () => void) => {
    if (Number(request.headers['content-length']) > config.REALTIME_MAX_MESSAGE_BYTES) meters.refusedCommands.inc({ reason: 'size' })
    proceed()
  })

  const asking = new WeakSet<Socket['conn']>()
  io.use((socket, proceed) => {
    // Socket.IO itself stops who asks again once there is a session, but not who asks a thousand times before the first answer.
    if (asking.has(socket.conn)) return socket.conn.close(true)
    asking.add(socket.conn)
    admit(socket, proceed).catch(proceed)
  })
  io.on('connection', socket => open(socket))

  // Refused here, a client tries again by itself; after a `connect_error` of the middleware it would not.
  function isWelcome (request: IncomingMessage): boolean {
    try {
      app.requireOrigin(request)
      gate.knock()
      return true
    } catch (err) {
      meters.connects.inc({ face: 'socket.io', outcome: outcomeOf(err) })
      log.debug({ err }, 'socket.io: connection refused')
      return false
    }
  }

  async function admit (socket: Socket, proceed: (err?: Error) => void) {
    try {
      const pass = await gate.enter(tokenOf(socket))
      socket.data.pass = pass
      // Left by whichever comes first: the end of the session, or of a connection that never got one.
      socket.conn.once('close', pass.leave)
      if (socket.conn.readyState !== 'open') pass.leave()
      meters.connects.inc({ face: 'socket.io', outcome: 'ok' })
      proceed()
    } catch (err) {
      asking.delete(socket.conn)
      meters.connects.inc({ face: 'socket.io', outcome: outcomeOf(err) })
      const refused = connectError(err)
      const isFault = !refused && !(err instanceof TooManyConnects)
      log[isFault ? 'error' : 'debug']({ err, ...(err instanceof TokenRefused && { code: err.code, reason: reasonOf(err) }) }, 'socket.io: refused')
      if (refused) proceed(refused)
      else socket.conn.close() // it is not for anything of its own: it comes back by itself
    }
  }

  function open (socket: Socket) {
    const session = sessions.open(new SocketIoWire(socket), socket.data.pass as Pass)
    const { receive } = commands(session, sessions.begin(session, lastEventIdOf(socket)))
    asking.delete(socket.conn)
    unasked.settle(socket.conn as unknown as Connection)
    releaseRequest(socket)
    socket.on('disconnect', (_reason, description: unknown) => {
      if (TOO_LARGE.test(String(description))) meters.refusedCommands.inc({ reason: 'size' })
      session.closed()
    })
    socket.on('error', socketFailed)
    socket.onAny((name: string, ...args: unknown[]) => {
      receive(name, args[0], answerOf(session, args.at(-1))).catch(commandFailed)
    })
  }

  const commandFailed = (err: unknown) => log.error({ err }, 'socket.io: command failed')
  const socketFailed = (err: Error) => log.debug({ err }, 'socket.io: connection failed')

  app.decorate('io', io)
  // The sessions are drained; a connection that has none would be waited for.
  app.addHook('preClose', async () => {
    for (const connection of connectionsOf(io)) {
      if (connection.readyState === 'open') connection.close(true)
    }
  })
  app.addHook('onClose', async () => {
    await io.of('/').adapter.close()
    io.engine.close()
    replicas.close()
  })
}, { name: 'socket-io', dependencies: ['sessions'] })

/** engine.io keeps them to itself; a list of our own would weigh on each idle session. */
function connectionsOf ({ engine }: Server): Connection[] {
  return Object.values((engine as unknown as { clients: Record<string, Connection> }).clients)
}

/** An answer is a packet of Socket.IO's own, which goes past the outlet. */
function answerOf (session: Session, last: unknown): Answer {
  if (typeof last !== 'function') return undefined
  return ack => {
    last(ack)
    session.outlet.passed()
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

/** What a client gets that has to change something before it comes back. */
function connectError (err: unknown): Error | undefined {
  if (err instanceof TokenRefused) return withCode('unauthorized', err.code)
  if (err instanceof TooManySessions) return withCode('too many sessions', 'too_many_sessions')
}

function withCode (message: string, code: string) {
  return Object.assign(new Error(message), { data: { code } })
}

const requestOf = (connection: Connection) => (connection as unknown as { request: IncomingMessage }).request

/** engine.io keeps the request that opened a connection: its headers are a good part of what an idle session weighs. */
function releaseRequest (socket: Socket) {
  const { conn } = socket
  const { request } = conn as { request: IncomingMessage }
  request.headers = {}
  request.rawHeaders = []
  socket.handshake.headers = {}
}

declare module 'fastify' {
  interface FastifyInstance { io: Server }
}
