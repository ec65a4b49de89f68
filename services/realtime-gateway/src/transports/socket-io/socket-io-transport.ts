import type { Socket as Connection } from 'engine.io'
import type { Socket } from 'socket.io'
import { atEndOfTick } from '../../session/end-of-tick.ts'
import type { Frame } from '../../session/frame.ts'
import { reconnects, type EndReason, type Transport } from '../../session/transport.ts'
import { connectionOf, transportOf, writeEncoded } from './engine-io-internals.ts'

type Packet = { data?: string }

/**
 * A Socket.IO client. Its frames of one tick become one packet of its engine.io connection, already encoded: the same
 * bytes for the client, and for engine.io the work of one packet instead of many. The packets of Socket.IO itself, its
 * acknowledgements of commands, keep their place between the frames.
 */
export class SocketIoTransport implements Transport {
  readonly kind = 'socket.io'
  readonly #socket: Socket
  readonly #connection: Connection
  /** Frames of the WebSocket protocol, written in this tick. */
  #frames: Buffer[] = []
  /** These, and what engine.io has not flushed. */
  #bufferedBytes = 0
  #bufferedPackets = 0
  #isOwnPacket = false
  readonly #writePending = () => {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    this.#send('', [frames.length === 1 ? frames[0] as Buffer : Buffer.concat(frames)])
  }

  constructor (socket: Socket) {
    this.#socket = socket
    this.#connection = connectionOf(socket)
    this.#connection.on('packetCreate', ({ data }: Packet) => {
      if (this.#isOwnPacket) return
      this.#writePending()
      this.#bufferedBytes += data?.length ?? 0
      this.#bufferedPackets++
    })
    this.#connection.on('flush', () => {
      this.#bufferedBytes = sizeOf(this.#frames)
      this.#bufferedPackets = this.#frames.length
    })
  }

  write (frame: Frame): void {
    const { webSocketPacket } = frame
    this.#bufferedBytes += webSocketPacket[0].length
    this.#bufferedPackets++
    // A client that polls may be upgraded to a WebSocket before the packet leaves: engine.io gets both encodings.
    if (transportOf(this.#connection).name !== 'websocket') this.#send(frame.packet, webSocketPacket)
    else if (this.#frames.push(webSocketPacket[0]) === 1) atEndOfTick(this.#writePending)
  }

  get unsentBytes (): number {
    return this.#bufferedBytes + (transportOf(this.#connection).socket?.bufferedAmount ?? 0)
  }

  get unsentPackets (): number {
    return this.#bufferedPackets
  }

  close (reason: EndReason): void {
    this.#writePending()
    // After `disconnect` a client does not reconnect by itself; after a closed connection it does.
    if (reconnects(reason)) this.#connection.close()
    else this.#socket.disconnect(true)
  }

  terminate (): void {
    this.#connection.close(true)
    transportOf(this.#connection).socket?.terminate()
  }

  #send (packet: string, webSocketFrame: [Buffer]) {
    this.#isOwnPacket = true
    writeEncoded(this.#connection, packet, webSocketFrame)
    this.#isOwnPacket = false
  }
}

function sizeOf (frames: Buffer[]): number {
  return frames.reduce((bytes, { length }) => bytes + length, 0)
}
