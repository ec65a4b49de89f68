import { Client, type Dispatcher } from 'undici'
import { Exchange } from './exchange.ts'
import { EgressError } from './outcome.ts'
import { openSocket, type OpeningTimes, type SocketOptions } from './open-socket.ts'

/** One kept-alive connection to an origin. It knows how long it took to open, for the attempt that had to wait for it. */
export class Connection extends Client {
  #opened: OpeningTimes | undefined

  constructor (origin: URL, options: Client.Options, sockets: SocketOptions, sessions: SessionStore) {
    super(origin, {
      ...options,
      connect: ({ hostname, port, protocol }, settle) => {
        const secure = protocol === 'https:'
        const destination = { hostname, secure, port: Number(port) || (secure ? 443 : 80), session: sessions.session }
        openSocket(destination, sockets).then(
          ({ socket, ...timings }) => {
            if (secure) socket.on('session', session => { sessions.session = session })
            this.#opened = timings
            settle(null, socket)
          },
          err => settle(err instanceof EgressError ? err : new EgressError('connect', 'Could not connect', err), null)
        )
      }
    })
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof Exchange) handler.connection = this
    return super.dispatch(options, handler)
  }

  /** How long it took to open, told once: later requests find it open. */
  takeTimings (): OpeningTimes | undefined {
    const timings = this.#opened
    this.#opened = undefined
    return timings
  }
}

/** An origin's last TLS session: with it the next handshake is shorter. */
export type SessionStore = { session?: Buffer }
