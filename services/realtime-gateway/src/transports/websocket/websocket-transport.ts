import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Frame } from '../../session/frame.ts'
import type { EndReason, Transport } from '../../session/transport.ts'
import { TickCork } from '../tick-cork.ts'

const TEXT = { binary: false, compress: false }

/** RFC 6455 §7.4 and the registry of close codes. 44xx is our own: reconnecting is useless without a new token. */
const CLOSE_CODES: Record<EndReason, number> = {
  expired: 4401,
  revoked: 4401,
  slow: 1013,
  draining: 1012,
  resync: 1012,
  unavailable: 1013,
  failed: 1011,
  not_found: 4404
}

/** A client that receives JSON frames over a WebSocket. */
export class WebSocketTransport implements Transport {
  readonly kind = 'websocket'
  readonly #webSocket: WebSocket
  readonly #cork: TickCork
  readonly #sent: () => void
  #unsent = 0

  constructor (webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket
    this.#cork = new TickCork(socket)
    this.#sent = () => { this.#unsent-- }
  }

  write (frame: Frame): void {
    this.#cork.cork()
    this.#unsent++
    this.#webSocket.send(frame.text, TEXT, this.#sent)
  }

  get unsentBytes (): number {
    return this.#webSocket.bufferedAmount
  }

  get unsentPackets (): number {
    return this.#unsent
  }

  close (reason: EndReason): void {
    this.#webSocket.close(CLOSE_CODES[reason], reason)
  }

  terminate (): void {
    this.#webSocket.terminate()
  }
}
