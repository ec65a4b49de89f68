import type { Socket } from 'node:net'
import { Client, type Dispatcher } from 'undici'
import { Exchange } from './exchange.ts'
import { EgressError } from './outcome.ts'
import { OwnFault } from './own-fault.ts'
import { openSocket, type OpeningTimes, type OriginMemory, type SocketOptions } from './open-socket.ts'
import { ResponseHead } from './response-head.ts'

/**
 * The request that a connection was opened for is sent at once. If that request was aborted, the next one uses the idle
 * connection.
 */
const FRESH_MS = 500

/**
 * One kept-alive connection to an origin. It knows how long it took to open, for the attempt that had to wait for it.
 */
export class Connection extends Client {
  /** What the current socket has received. */
  head: ResponseHead | undefined
  readonly memory: OriginMemory
  readonly #maxAgeMs: number
  #socket: Socket | undefined
  #openedAt = 0
  #timings: OpeningTimes | undefined

  constructor (origin: string | URL, options: Client.Options, sockets: SocketOptions, memory: OriginMemory) {
    super(origin, {
      ...options,
      connect: ({ hostname, port, protocol }, settle) => {
        const secure = protocol === 'https:'
        const destination = { hostname, secure, port: Number(port) || (secure ? 443 : 80), memory }
        openSocket(destination, sockets).then(
          ({ socket, ...timings }) => {
            if (secure) socket.on('session', session => { memory.session = session })
            this.#socket = socket
            this.#openedAt = performance.now()
            this.#timings = timings
            this.head = new ResponseHead(socket)
            settle(null, socket)
          },
          (err: unknown) => settle(faultOf(err), null)
        )
      }
    })
    this.memory = memory
    this.#maxAgeMs = sockets.maxAgeMs
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof Exchange) handler.connection = this
    return super.dispatch(options, handler)
  }

  /** How long it took to open. Returned once: later requests find the connection open. */
  takeTimings (): OpeningTimes | undefined {
    const timings = this.#timings
    this.#timings = undefined
    return timings && performance.now() - this.#openedAt < FRESH_MS ? timings : undefined
  }

  /**
   * Closes an old socket after a complete response; the next request opens another one. The pool's own `clientTtl`
   * would check all of its connections for each request.
   */
  endIfOld (): void {
    if (performance.now() - this.#openedAt > this.#maxAgeMs) this.#socket?.destroy()
  }
}

function faultOf (err: unknown): Error {
  const isKnown = err instanceof EgressError || err instanceof OwnFault
  return isKnown ? err : new OwnFault('internal', 'Could not connect', err)
}
