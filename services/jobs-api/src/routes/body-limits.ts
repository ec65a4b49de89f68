import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const TooManyBodies = createError('TOO_MANY_BODIES', 'You are sending %d requests with a body already', 429)

/**
 * Limits the number of request bodies that one user sends at a time. A body that arrives slowly (60 s at most) holds
 * memory, up to 8 MiB for a batch, long before load shedding counts the request. Needs an authenticated request.
 */
export const bodyLimits = fp<{ maxPerUser: number }>(async function bodyBounds (app, { maxPerUser }) {
  const arriving = new Map<string, number>()

  app.addHook('onRequest', (request, reply, done) => {
    if (!hasBody(request)) return done()
    const { userId } = request.user
    const own = arriving.get(userId) ?? 0
    if (own >= maxPerUser) return done(new TooManyBodies(maxPerUser))
    arriving.set(userId, own + 1)
    onArrived(request, reply, () => release(userId))
    done()
  })

  function release (userId: string): void {
    const left = (arriving.get(userId) ?? 1) - 1
    if (left > 0) arriving.set(userId, left)
    else arriving.delete(userId)
  }
}, { name: 'body-limits' })

function hasBody ({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Calls back once: when the body has arrived, or when the response closes before that. */
function onArrived ({ raw: body }: FastifyRequest, { raw: response }: FastifyReply, callback: () => void): void {
  const done = () => {
    body.off('end', done)
    response.off('close', done)
    callback()
  }
  body.once('end', done)
  response.once('close', done)
}
