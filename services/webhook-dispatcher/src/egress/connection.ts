import { Client, type Dispatcher } from 'undici'
import { Exchange } from './exchange.ts'
import { EgressError } from './outcome.ts'
import { OwnFault } from './own-fault.ts'
import { openSocket, type OpeningTimes, type OriginMemory, type SocketOptions } from './open-socket.ts'
import { ResponseHead } from './response-head.ts'

/** One kept-alive connection to an origin. It knows how long it took to open, for the attempt that had to wait for it. */
export class Connection extends Client {
  /** What its current socket has read. */
  head: ResponseHead | undefined
  #opened: OpeningTimes | undefined

  constructor (origin: string | URL, options: Client.Options, sockets: SocketOptions, memory: OriginMemory) {
    super(origin, {
      ...options,
      connect: ({ hostname, port, protocol }, settle) => {
        const secure = protocol === 'https:'
        const destination = { hostname, secure, port: Number(port) || (secure ? 443 : 80), memory }
        openSocket(destination, sockets).then(
          ({ socket, ...timings }) => {
            if (secure) socket.on('session', session => { memory.session = session })
            this.#opened = timings
            this.head = new ResponseHead(socket)
            settle(null, socket)
          },
          err => settle(err instanceof EgressError || err instanceof OwnFault ? err : new OwnFault('internal', 'Could not connect', err), null)
        )
      }
    })
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof Exchange) handler.connection = this
    return super.dispatch(options, handler)
  }

  /** How long it took to open, once: later requests find it open. */
  takeTimings (): OpeningTimes | undefined {
    const timings = this.#opened
    this.#opened = undefined
    return timings
  }
}
