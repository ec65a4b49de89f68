import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { reasonOf, TokenRefused } from '@tidings/contracts'
import { outcomeOf } from '../auth/gate.ts'
import type { Pass } from '../auth/pass.ts'
import type { Face } from '../session/wire.ts'

const Unauthorized = createError('UNAUTHORIZED', '%s', 401)

type TokenOf = (request: FastifyRequest, reply: FastifyReply) => string | undefined | Promise<string | undefined>

/** Decorates `app.admission`: the hooks by which the faces over plain HTTP let clients in, with `request.pass`. */
export const admission = fp(async function admission (app) {
  const { gate, meters } = app
  app.decorateRequest('pass', null)

  app.decorate('admission', (face: Face, tokenOf: TokenOf) => ({
    onRequest: async (request: FastifyRequest) => {
      try {
        app.requireOrigin(request.raw)
        gate.knock()
      } catch (err) {
        meters.connects.inc({ face, outcome: outcomeOf(err) })
        throw err
      }
    },
    // The last step before the handler, so that no fault of the input leaves a seat taken.
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        const pass = await gate.enter(await tokenOf(request, reply))
        if (request.raw.socket.destroyed) return forget(pass, reply, face)
        request.pass = pass
        // A client may still go before it has a session, which would give the seat back.
        reply.raw.once('close', pass.leave)
        meters.connects.inc({ face, outcome: 'ok' })
      } catch (err) {
        meters.connects.inc({ face, outcome: outcomeOf(err) })
        if (!(err instanceof TokenRefused)) throw err
        request.log.debug({ face, code: err.code, reason: reasonOf(err) }, 'connection refused')
        reply.header('www-authenticate', err.code === 'token_missing' ? 'Bearer' : 'Bearer error="invalid_token"')
        throw new Unauthorized(err.message)
      }
    }
  }))

  /** Of a client that went while it was let in nothing more is heard: no handler is to wait for its end. */
  function forget (pass: Pass, reply: FastifyReply, face: Face) {
    pass.leave()
    meters.connects.inc({ face, outcome: 'left' })
    reply.hijack()
  }
}, { name: 'admission', dependencies: ['sessions', 'origins'] })

declare module 'fastify' {
  interface FastifyInstance {
    admission: (face: Face, tokenOf: TokenOf) => {
      onRequest: (request: FastifyRequest) => Promise<void>
      preHandler: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    }
  }
  interface FastifyRequest {
    pass: Pass | null
  }
}
