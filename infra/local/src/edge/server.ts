import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { pacedServer, WEB_SOCKET_PATHS, webSocketsAt } from '@tidings/service-kit'
import { valuesOf } from './forward/headers.ts'

const SERVER_OPTIONS = {
  keepAliveTimeout: 72_000,
  requestTimeout: 60_000,
  http: {
    maxHeaderSize: 16 * 1024, // below that of the services, to which the edge adds
    requireHostHeader: false, // it is checked here, for an answer with a body
    shouldUpgradeCallback: webSocketsAt(WEB_SOCKET_PATHS)
  }
}

interface EdgeServerOptions {
  /** True when the request was a service's. */
  forward: (request: IncomingMessage, response: ServerResponse) => boolean
  /** What is the edge's own. */
  own: RequestListener
  /** Refuses a request that does not name its host, or names two: each who reads it may take another (RFC 9112 §3.2). */
  badHost: RequestListener
}

/** The edge's HTTP server: what belongs to a service never reaches the framework, which would read and interpret it. */
export function createEdgeServer ({ forward, own, badHost }: EdgeServerOptions): Server {
  return pacedServer((request, response) => {
    const hosts = valuesOf(request.rawHeaders, 'host').length
    if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) badHost(request, response)
    else if (!forward(request, response)) own(request, response)
  }, SERVER_OPTIONS)
}
