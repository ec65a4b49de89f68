import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { answerProblem } from '@tidings/service-kit'

const RETRY_MS = 3000
/** Of a client that has to wait for others of its user to leave. */
const RETRY_AFTER_TOO_MANY_MS = 30_000

/** Browsers name it, and so do the clients that stand in for theirs. */
export function isEventSource ({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.includes('text/event-stream')
}

/**
 * Answers an error of an event stream. A browser's EventSource never tries
 * again after any status but 200: one that may succeed a moment later gets a
 * stream that says when, and ends. After all others it is right to give up:
 * 401 asks for a new ticket.
 */
export function answerStreamError (err: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode: status = 500 } = err
  const isPassing = status >= 500 || status === 429
  if (!isPassing || !isEventSource(request)) {
    answerProblem(err, request, reply)
    return
  }
  if (status === 500) request.log.error({ err }, 'request failed')
  else request.log.debug({ err }, 'event stream refused for now')
  const retryMs = status === 429 ? RETRY_AFTER_TOO_MANY_MS : RETRY_MS
  reply
    .code(200)
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .serializer(String)
    .send(`retry: ${retryMs}\nevent: session:end\ndata: ${JSON.stringify({ reason: 'unavailable', reconnect: true })}\n\n`)
}
