import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { rawProblem } from './raw-problem.ts'

type ParserError = Error & { code?: string, reason?: string }
type HttpSocket = Socket & { _httpMessage?: ServerResponse & { req: IncomingMessage } | null }

/** Faults that Node's HTTP parser, or a time limit, finds in a request. */
const FAULTS: Record<string, { status: number, code: string, detail: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431, code: 'headers-too-large', detail: 'The request line and the headers are too large together'
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413, code: 'chunk-extensions-too-large', detail: 'The chunk extensions of the body are too large'
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request-timeout', detail: 'The request did not arrive in time' },
  HPE_INVALID_URL: {
    status: 400, code: 'malformed-request', detail: 'The path contains characters that must be percent-encoded'
  },
  HPE_INVALID_METHOD: {
    status: 501, code: 'method-unknown', detail: 'The request line does not start with an HTTP method'
  },
  HPE_INVALID_EOF_STATE: {
    status: 400, code: 'malformed-request', detail: 'The connection ended before the request did'
  }
}

/**
 * The rest of the request is read for this long: a socket that is closed with unread bytes is reset, and the response
 * lost.
 */
const LINGER_MS = 2000

const answered = new WeakSet<Socket>()

/**
 * Answers input that never becomes a request as problem+json: Node's own responses have no body, Fastify's another
 * shape. A response that has started cannot be replaced, so its connection ends; the response to an earlier request of
 * the connection is sent first.
 */
export function clientErrorHandler (headers: [string, string][] = []) {
  return function answerClientError (err: ParserError, socket: Socket): void {
    const { _httpMessage: current } = socket as HttpSocket
    if (answered.has(socket)) return
    if (err.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    if (current?.req.complete && !current.writableFinished) {
      answered.add(socket)
      current.once('finish', () => refuse(socket, err, headers))
    } else if (current?.headersSent) socket.destroy()
    else refuse(socket, err, headers)
  }
}

function refuse (socket: Socket, { code = '', reason }: ParserError, headers: [string, string][]): void {
  const fault = FAULTS[code] ?? {
    status: 400, code: 'malformed-request', detail: reason ?? 'The request is not valid HTTP'
  }
  endWith(socket, rawProblem({ ...fault, headers }))
}

/** Sends a last response on a socket whose further input is not parsed. */
export function endWith (socket: Socket, text: string): void {
  answered.add(socket)
  if (!socket.writable) {
    socket.destroy()
    return
  }
  for (const event of ['data', 'end']) socket.removeAllListeners(event)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.on('data', () => {}).on('error', () => {})
  socket.once('end', () => socket.destroySoon()).once('close', () => clearTimeout(timer))
  socket.end(text)
  socket.resume()
}
