import type { FastifyRequest } from 'fastify'
import type { serviceOptions } from '@tidings/service-kit'

const TICKET = /([?&]ticket=)[^&]*/

/** Keeps one-time tickets out of the log: where a request is refused before its ticket is spent, that is still good for a minute. */
export function withoutTickets (options: ReturnType<typeof serviceOptions>) {
  return { ...options, logger: { ...options.logger, serializers: { req: describe } } }
}

/** What Fastify logs of a request. */
function describe ({ method, url, host, ip, socket }: FastifyRequest) {
  return { method, url: url.replace(TICKET, '$1[redacted]'), host, remoteAddress: ip, remotePort: socket.remotePort ?? 0 }
}
