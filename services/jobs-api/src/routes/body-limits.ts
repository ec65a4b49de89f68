import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const TooManyBodies = createError('TOO_MANY_BODIES', 'You are sending %d requests with a body at a time already', 429)

/**
 * Bounds how many bodies of one user may be on their way at a time. A body that arrives slowly (60 s at most) holds
 * memory, up to 8 MiB for a batch, long before the request counts as one in hand. Behind authentication.
 */
export const bodyLimits = fp<{ maxPerUser: number }>(async function bodyBounds (app, { maxPerUser }) {
  const arriving = new Map<string, number>()

  app.addHook('onRequest', (request, reply, done) => {
    if (!hasBody(request)) return done()
    const { userId } = request.user
    const own = arriving.get(userId) ?? 0
    if (own >= maxPerUser) return done(new TooManyBodies(maxPerUser))
    arriving.set(userId, own + 1)
    onArrived(request, reply, () => leave(userId))
    done()
  })

  function leave (userId: string): void {
    const left = (arriving.get(userId) ?? 1) - 1
    if (left > 0) arriving.set(userId, left)
    else arriving.delete(userId)
  }
}, { name: 'body-bounds' })

function hasBody ({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function onArrived ({ raw: body }: FastifyRequest, { raw: response }: FastifyReply, then: () => void): void {
  const leave = () => {
    body.off('end', leave)
    response.off('close', leave)
    then()
  }
  body.once('end', leave)
  response.once('close', leave)
}
