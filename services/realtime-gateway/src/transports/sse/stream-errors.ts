import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { answerProblem } from '@tidings/service-kit'

const RETRY_MS = 3000
/** For a client that has to wait until another session of its user ends. */
const RETRY_AFTER_TOO_MANY_MS = 30_000

/** Browsers send this header, and so do clients that imitate their EventSource. */
export function isEventSource ({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.includes('text/event-stream')
}

/**
 * Answers an error of an event stream. A browser's EventSource never retries after a status other than 200. So an
 * EventSource that may succeed a moment later gets a stream that says when to retry, and ends. Other errors are final
 * for it, rightly: 401 asks for a new ticket.
 */
export function answerStreamError (err: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode: status = 500 } = err
  const isTransient = status >= 500 || status === 429
  if (!isTransient || !isEventSource(request)) {
    answerProblem(err, request, reply)
    return
  }
  if (status === 500) request.log.error({ err }, 'request failed')
  else request.log.debug({ err }, 'event stream refused for now')
  const retryMs = status === 429 ? RETRY_AFTER_TOO_MANY_MS : RETRY_MS
  const end = JSON.stringify({ reason: 'unavailable', reconnect: true })
  reply
    .code(200)
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .serializer(String)
    .send(`retry: ${retryMs}\nevent: session:end\ndata: ${end}\n\n`)
}
