import type { IncomingMessage } from 'node:http'
import type { Socket as Connection } from 'engine.io'
import type { Server, Socket } from 'socket.io'
import { atEndOfTick } from '../../session/end-of-tick.ts'

// All that this service takes from inside engine.io, which its types leave out. The version is pinned, and a test
// compares the bytes that a client receives with those of an unchanged engine.io.

type EngineWebSocket = {
  bufferedAmount: number
  terminate: () => void
  _socket?: { cork: () => void, uncork: () => void }
}
type EngineTransport = { name: string, socket?: EngineWebSocket }
type Internals = {
  request: IncomingMessage
  transport: EngineTransport
  writeBuffer: unknown[]
  flush: () => void
}

const internalsOf = (connection: Connection) => connection as unknown as Internals

/** The engine.io connection below a socket of Socket.IO. */
export const connectionOf = (socket: Socket) => socket.conn as unknown as Connection

/** The transport of a connection at this moment: a client that polls may upgrade. */
export const transportOf = (connection: Connection): EngineTransport => internalsOf(connection).transport

/** The request that opened a connection. */
export const requestOf = (connection: Connection): IncomingMessage => internalsOf(connection).request

/** All connections, with a session or without. engine.io keeps this list; another would weigh on each idle session. */
export function connectionsOf ({ engine }: Server): Connection[] {
  return Object.values((engine as unknown as { clients: Record<string, Connection> }).clients)
}

/** Writes a packet of Socket.IO that is encoded already, and framed for a connection that is a WebSocket. */
export function writeEncoded (connection: Connection, packet: string, wsPreEncodedFrame: [Buffer]): void {
  const options = { compress: false, wsPreEncodedFrame }
  connection.write(packet, options)
}

/** Drops the headers of the request that opened a connection: they are a good part of an idle session's memory. */
export function forgetHeaders (socket: Socket): void {
  const request = requestOf(connectionOf(socket))
  request.headers = {}
  request.rawHeaders = []
  socket.handshake.headers = {}
}

/**
 * Makes a connection flush once per tick, in one write: writes are the main cost of a delivery, and engine.io makes one
 * per flush. It waits for a write's callback before the next flush, so corking its own flushes would not be enough.
 */
export function flushOncePerTick (connection: Connection): void {
  const internals = internalsOf(connection)
  const flush = internals.flush.bind(connection)
  const flushInOneWrite = () => {
    if (internals.writeBuffer.length === 1) return flush()
    const socket = internals.transport.socket?._socket
    socket?.cork()
    flush()
    socket?.uncork()
  }
  internals.flush = () => atEndOfTick(flushInOneWrite)
}
