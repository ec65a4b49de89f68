import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'

/** Parameters of a query that let somebody in, whatever their case. */
const SECRET = 'ticket|token|access_?token|id_?token|refresh_?token|auth|authorization|bearer|jwt|secret|api_?key|password|signature'
const SECRET_PARAMETER = new RegExp(`([?&;](?:${SECRET})=)[^&;#]*`, 'gi')
/** Names may be written percent-encoded; who writes one so gets the whole query hidden. */
const ENCODED_NAME = /[?&;][^=&;]*%[^=&;]*=/
/** A JWT, wherever it stands. */
const JWT = /ey[\w-]{5,}\.[\w-]{4,}(?:\.[\w-]*)?/g
const REDACTED = '[redacted]'

/** A longer URL is cut: a log line is no place for 16 KiB of it. */
const MAX_URL = 2048

const SAFE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/

/** A URL without what lets somebody in: tokens, tickets and the like of its query, and JWTs anywhere. */
export function redactedUrl (url: string): string {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const parameters = query === -1 ? '' : url.slice(query)
  const shown = ENCODED_NAME.test(parameters) ? `?${REDACTED}` : parameters.replace(SECRET_PARAMETER, `$1${REDACTED}`)
  const text = (path + shown).replace(JWT, REDACTED)
  return text.length > MAX_URL ? `${text.slice(0, MAX_URL)}…` : text
}

/** An error whose message quotes a URL, without what lets somebody in. */
export function withoutSecrets<Fault extends Error> (err: Fault): Fault {
  err.message = redactedUrl(err.message)
  if (err.stack !== undefined) err.stack = err.stack.split('\n').map(redactedUrl).join('\n')
  return err
}

/** What is logged of a request, as Fastify does it by default. */
export function describeRequest ({ method, url, host, ip, socket }: FastifyRequest) {
  return { method, url: redactedUrl(url), host, remoteAddress: ip, remotePort: socket.remotePort ?? 0 }
}

/** The request's id: the client's own where it is short and harmless, else a new one. */
export function requestId ({ headers }: IncomingMessage | { headers: IncomingMessage['headers'] }): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SAFE_REQUEST_ID.test(given) ? given : randomUUID()
}
