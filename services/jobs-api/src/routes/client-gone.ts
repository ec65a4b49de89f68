import type { FastifyReply } from 'fastify'

/**
 * Aborts once the client does not wait for the response any more. Not `request.signal`: that aborts when the request
 * closes, which for a request with a body is as soon as the body has been read.
 */
export function clientGone ({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  return gone.signal
}
