import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { WEB_SOCKET_PATHS, webSocketsAt } from '@tidings/service-kit'
import { valuesOf } from './forward/headers.ts'
import { inTurn } from './forward/in-turn.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** `maxHeaderSize` is below that of the services, to which the edge adds. */
const SERVER_OPTIONS = { keepAliveTimeout: 72_000, requestTimeout: 60_000, maxHeaderSize: 16 * 1024, requireHostHeader: false }

interface EdgeServerOptions {
  /** True when the request was a service's. */
  forward: (request: IncomingMessage, response: ServerResponse) => boolean
  /** What is the edge's own. */
  own: Handler
  /** Refuses a request that came too far ahead of its answer. */
  tooFarAhead: Handler
  /** Refuses a request that does not name its host, or names two: each who reads it may take another (RFC 9112 §3.2). */
  badHost: Handler
}

/** The edge's HTTP server: what belongs to a service never reaches the framework, which would read and interpret it. */
export function createEdgeServer ({ forward, own, tooFarAhead, badHost }: EdgeServerOptions): Server {
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const hosts = valuesOf(request.rawHeaders, 'host').length
    if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) badHost(request, response)
    else if (!forward(request, response)) own(request, response)
  }
  return createServer({ ...SERVER_OPTIONS, shouldUpgradeCallback: webSocketsAt(WEB_SOCKET_PATHS) }, inTurn(handle, tooFarAhead))
}
