import type { Socket as Connection } from 'engine.io'
import type { Socket } from 'socket.io'
import type { Frame } from '../session/frame.ts'
import { atEndOfTurn } from '../session/turn.ts'
import { comesBack, type EndReason, type Wire } from '../session/wire.ts'

type WebSocketOf = { bufferedAmount: number, terminate: () => void }
type Transport = { name: string, socket?: WebSocketOf }
type Packet = { data?: string }

/**
 * A Socket.IO client. What it is told in one turn becomes one packet of its
 * engine.io connection, encoded already: to the client the same bytes, to
 * engine.io the work of one packet instead of many. Socket.IO's own packets,
 * its answers to commands, keep their place between them.
 */
export class SocketIoWire implements Wire {
  readonly face = 'socket.io'
  readonly #socket: Socket
  readonly #connection: Connection
  /** Told in this turn over a WebSocket: frames of its protocol. */
  #frames: Buffer[] = []
  /** These, and what engine.io has not flushed. */
  #bufferedBytes = 0
  #bufferedPackets = 0
  #isOurs = false
  readonly #handOver = () => {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    this.#send('', [frames.length === 1 ? frames[0] as Buffer : Buffer.concat(frames)])
  }

  constructor (socket: Socket) {
    this.#socket = socket
    this.#connection = socket.conn as unknown as Connection
    this.#connection.on('packetCreate', ({ data }: Packet) => {
      if (this.#isOurs) return
      this.#handOver()
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
    if (this.#transport.name !== 'websocket') this.#send(frame.packet, webSocketPacket) // it may be one before they leave
    else if (this.#frames.push(webSocketPacket[0]) === 1) atEndOfTurn(this.#handOver)
  }

  get unsentBytes (): number {
    return this.#bufferedBytes + (this.#transport.socket?.bufferedAmount ?? 0)
  }

  get unsentPackets (): number {
    return this.#bufferedPackets
  }

  close (reason: EndReason): void {
    this.#handOver()
    // `disconnect` tells a client not to come back by itself; one whose connection closes does.
    if (comesBack(reason)) this.#connection.close()
    else this.#socket.disconnect(true)
  }

  terminate (): void {
    this.#connection.close(true)
    this.#transport.socket?.terminate()
  }

  #send (packet: string, wsPreEncodedFrame: [Buffer]) {
    const options = { compress: false, wsPreEncodedFrame }
    this.#isOurs = true
    this.#connection.write(packet, options)
    this.#isOurs = false
  }

  get #transport (): Transport {
    return this.#connection.transport as unknown as Transport
  }
}

function sizeOf (frames: Buffer[]): number {
  return frames.reduce((bytes, { length }) => bytes + length, 0)
}
