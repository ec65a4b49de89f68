import type { Socket as Connection } from 'engine.io'
import type { Socket } from 'socket.io'
import type { Frame } from '../session/frame.ts'
import { comesBack, type EndReason, type Wire } from '../session/wire.ts'

type WebSocketOf = { bufferedAmount: number, terminate: () => void }

type Packet = { data?: string, options?: { wsPreEncodedFrame?: unknown } }

/** A Socket.IO client. Frames go to its engine.io connection as packets that are encoded already. */
export class SocketIoWire implements Wire {
  readonly face = 'socket.io'
  readonly #socket: Socket
  readonly #connection: Connection
  #bufferedBytes = 0

  constructor (socket: Socket) {
    this.#socket = socket
    this.#connection = socket.conn as unknown as Connection
    // Socket.IO's own packets fill the buffer too: its answers to commands.
    this.#connection.on('packetCreate', ({ data, options }: Packet) => {
      if (!options?.wsPreEncodedFrame) this.#bufferedBytes += data?.length ?? 0
    })
    this.#connection.on('flush', () => { this.#bufferedBytes = 0 })
  }

  write (frame: Frame): void {
    this.#bufferedBytes += frame.packetBytes
    this.#connection.write(frame.packet, frame.packetOptions)
  }

  get unsentBytes (): number {
    return this.#bufferedBytes + (this.#webSocket?.bufferedAmount ?? 0)
  }

  get unsentPackets (): number {
    return (this.#connection as unknown as { writeBuffer: unknown[] }).writeBuffer.length
  }

  close (reason: EndReason): void {
    // `disconnect` tells a client not to come back by itself; one whose connection closes does.
    if (comesBack(reason)) this.#connection.close()
    else this.#socket.disconnect(true)
  }

  terminate (): void {
    this.#connection.close(true)
    this.#webSocket?.terminate()
  }

  get #webSocket (): WebSocketOf | undefined {
    return (this.#connection.transport as unknown as { socket?: WebSocketOf }).socket
  }
}
