import type { Face } from '../../src/session/wire.ts'
import { connectSocketIo } from './socket-io-client.ts'
import { connectSse } from './sse-client.ts'
import { connectWebSocket } from './websocket-client.ts'

/** How a client of each face connects. */
export const connect = {
  'socket.io': connectSocketIo,
  websocket: connectWebSocket,
  sse: connectSse
} satisfies Record<Face, unknown>
