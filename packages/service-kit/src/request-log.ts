import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'

/** Query parameters with credentials, in any case. */
const SECRET = 'ticket|token|access_?token|id_?token|refresh_?token|auth|authorization|bearer|jwt|secret|api_?key|' +
  'password|signature'
const SECRET_PARAMETER = new RegExp(`([?&;](?:${SECRET})=)[^&;#]*`, 'gi')
/** Names may be percent-encoded: then the whole query is hidden. */
const ENCODED_NAME = /[?&;][^=&;]*%[^=&;]*=/
/** A JWT at any position. */
const JWT = /ey[\w-]{5,}\.[\w-]{4,}(?:\.[\w-]*)?/g
const REDACTED = '[redacted]'

/** A longer URL is cut. */
const MAX_URL = 2048

const SAFE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/

/** A URL without credentials: tokens, tickets and the like in its query, and JWTs anywhere. */
export function redactedUrl (url: string): string {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const parameters = query === -1 ? '' : url.slice(query)
  const shown = ENCODED_NAME.test(parameters) ? `?${REDACTED}` : parameters.replace(SECRET_PARAMETER, `$1${REDACTED}`)
  const text = (path + shown).replace(JWT, REDACTED)
  return text.length > MAX_URL ? `${text.slice(0, MAX_URL)}…` : text
}

/** An error without the credentials of URLs in its message. */
export function withoutSecrets<Fault extends Error> (err: Fault): Fault {
  err.message = redactedUrl(err.message)
  if (err.stack !== undefined) err.stack = err.stack.split('\n').map(redactedUrl).join('\n')
  return err
}

/** The logged fields of a request, as Fastify logs them by default. */
export function describeRequest ({ method, url, host, ip, socket }: FastifyRequest) {
  return { method, url: redactedUrl(url), host, remoteAddress: ip, remotePort: socket.remotePort ?? 0 }
}

/** The request's id: the client's where it is short and harmless, else a new one. */
export function requestId ({ headers }: IncomingMessage | { headers: IncomingMessage['headers'] }): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SAFE_REQUEST_ID.test(given) ? given : randomUUID()
}
