import type { TransportKind } from '../../src/session/transport.ts'
import { connectSocketIo } from './socket-io-client.ts'
import { connectSse } from './sse-client.ts'
import { connectWebSocket } from './websocket-client.ts'

/** Connects a client, by transport. */
export const connect = {
  'socket.io': connectSocketIo,
  websocket: connectWebSocket,
  sse: connectSse
} satisfies Record<TransportKind, unknown>
