import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { pacedServer, WEB_SOCKET_PATHS, webSocketsAt } from '@tidings/service-kit'
import { valuesOf } from './forward/headers.ts'

const SERVER_OPTIONS = {
  keepAliveTimeout: 72_000,
  requestTimeout: 60_000,
  http: {
    maxHeaderSize: 16 * 1024, // below the limit of the services, since the edge adds headers
    requireHostHeader: false, // checked here, so that the response has a body
    shouldUpgradeCallback: webSocketsAt(WEB_SOCKET_PATHS)
  }
}

interface EdgeServerOptions {
  /** Returns whether the request belonged to a service. */
  forward: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Handles requests to the edge itself. */
  own: RequestListener
  /** Refuses a request without a host, or with two, of which each reader might use another (RFC 9112 §3.2). */
  badHost: RequestListener
}

/**
 * The HTTP server of the edge: requests to a service never reach the framework, which would read and interpret them.
 */
export function createEdgeServer ({ forward, own, badHost }: EdgeServerOptions): Server {
  return pacedServer((request, response) => {
    const hosts = valuesOf(request.rawHeaders, 'host').length
    if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) badHost(request, response)
    else if (!forward(request, response)) own(request, response)
  }, SERVER_OPTIONS)
}
