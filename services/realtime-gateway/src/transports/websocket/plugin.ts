import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import createError from '@fastify/error'
import fastifyWebsocket from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { WebSocket } from 'ws'
import { bearerToken } from '@tidings/contracts'
import { endWith, rawProblem } from '@tidings/service-kit'
import type { Credentials } from '../../admission/http-hooks-plugin.ts'
import type { Grant } from '../../session/session.ts'
import { SOCKET_IO_PATH } from '../socket-io/plugin.ts'
import { keepAlive } from './keep-alive.ts'
import { WebSocketTransport } from './websocket-transport.ts'

/** How long a client may take until it is admitted, or has disconnected after a refusal. */
const UPGRADE_TIMEOUT_MS = 10_000

/** The code of ws for a message above `maxPayload`. */
const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'

const SUBPROTOCOL = 'tidings.v1'
const BEARER = /^bearer\.(.+)$/
const NotAnUpgrade = createError('UPGRADE_REQUIRED', 'Connect with a WebSocket', 426)

const Query = Type.Object({ lastEventId: Type.Optional(Type.String()) })

/** A message of a client: a command. With an `id` it is answered by an `ack` with the same id. */
const Command = Type.Object({
  event: Type.String({ maxLength: 128 }),
  data: Type.Optional(Type.Unknown()),
  id: Type.Optional(Type.Union([Type.Integer(), Type.String({ maxLength: 128 }), Type.Null()]))
})
type Command = Static<typeof Command>
const isCommand = Compile(Command)

/** `/ws`: the events of Socket.IO as JSON frames `{event, data}`. */
export const webSocket = fp(async function webSocket (app) {
  const { config, sessions, commands, meters, log } = app

  // @fastify/websocket would route every upgrade, also those of Socket.IO: it gets only its own.
  const upgrades = new EventEmitter()
  app.server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith(SOCKET_IO_PATH)) return
    // Some responses of Fastify bypass its hooks (a malformed URL, a close) and leave the socket open: it closes
    // together with the client's side.
    socket.allowHalfOpen = false
    request.socket.setTimeout(UPGRADE_TIMEOUT_MS, () => socket.destroy()) // ws removes it after the upgrade
    upgrades.emit('upgrade', request, socket, head)
  })
  await app.register(fastifyWebsocket, {
    options: {
      server: upgrades as Server,
      maxPayload: config.REALTIME_MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      // Never the token: the chosen protocol is echoed in a header.
      handleProtocols: offered => offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false
    },
    // The sessions are drained already.
    preClose: done => { app.websocketServer.close(); done() },
    errorHandler: (err, socket) => {
      if ((err as { code?: string }).code === TOO_LARGE) meters.refusedCommands.inc({ reason: 'size' })
      log.debug({ err }, 'websocket: connection failed')
      socket.terminate()
    }
  })
  // The response of ws would be text.
  app.websocketServer.on('wsClientError', (err: Error, socket: Duplex) => endWith(socket as Socket, rawProblem({
    status: 400, code: 'malformed-request', detail: err.message, headers: [['sec-websocket-version', '13']]
  })))
  const stop = keepAlive(app.websocketServer)
  app.addHook('onClose', async () => stop())

  const { onRequest, preHandler } = app.admissionHooks('websocket', credentialsOf)
  app.get<{ Querystring: Static<typeof Query> }>('/ws', {
    websocket: true,
    config: { access: 'jobs:read', isAccessChecked: true },
    schema: { querystring: Query },
    onRequest: [requireUpgrade, onRequest],
    preHandler
  }, open)

  function open (socket: WebSocket, request: FastifyRequest<{ Querystring: Static<typeof Query> }>) {
    const session = sessions.open(new WebSocketTransport(socket, request.raw.socket), request.grant as Grant)
    const { receive, receiveMalformed } = commands(session, sessions.begin(session, request.query.lastEventId))
    socket.on('close', () => session.closed())
    socket.on('message', (data: Buffer) => {
      const command = commandOf(data)
      if (!command) return receiveMalformed(ack => session.send('error', ack))
      const { event, data: input, id } = command
      receive(event, input, id === undefined || id === null ? undefined : ack => session.send('ack', { id, ...ack }))
        .catch(err => log.error({ err }, 'websocket: command failed'))
    })
  }
}, { name: 'websocket', dependencies: ['admission-hooks', 'sessions', 'socket-io'] })

async function requireUpgrade (request: FastifyRequest) {
  if (!request.ws) throw new NotAnUpgrade()
}

function credentialsOf (request: FastifyRequest): Credentials {
  return { token: tokenOf(request), userId: (request.query as { userId?: unknown }).userId }
}

function tokenOf (request: FastifyRequest): string | undefined {
  const { authorization, 'sec-websocket-protocol': offered = '' } = request.headers
  return bearerToken(authorization) ?? offered.split(',').map(name => BEARER.exec(name.trim())?.[1]).find(Boolean)
}

function commandOf (data: Buffer): Command | undefined {
  try {
    const command: unknown = JSON.parse(data.toString())
    return isCommand.Check(command) ? command : undefined
  } catch {
    return undefined // not JSON
  }
}
