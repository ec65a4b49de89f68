import type { TestContext } from '@tidings/testing'
import type { TransportKind } from '../../src/session/transport.ts'
import type { Client, ConnectOptions } from './client.ts'
import { connectSocketIo } from './socket-io-client.ts'
import { connectSse } from './sse-client.ts'
import { connectWebSocket } from './websocket-client.ts'

/** Connects a client, by transport. */
export const connect = {
  'socket.io': connectSocketIo,
  websocket: connectWebSocket,
  sse: connectSse
} satisfies Record<TransportKind, unknown>

/** Connects a client that receives the events of this job, and perhaps of others. */
export type Join = (t: TestContext, job: { jobId: string }, options: ConnectOptions) => Promise<Client>

/** The ways to open a session at a gateway: each transport, and the stream of a single job. */
export function joinsAt (url: string): Record<string, Join> {
  return {
    'socket.io': (t, _job, options) => connect['socket.io'](t, url, options),
    websocket: (t, _job, options) => connect.websocket(t, url, options),
    sse: (t, _job, options) => connect.sse(t, url, options),
    'a job\'s stream': (t, { jobId }, options) => connect.sse(t, url, { ...options, job: jobId })
  }
}
