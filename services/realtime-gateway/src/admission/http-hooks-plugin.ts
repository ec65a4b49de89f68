import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { reasonOf, TokenRefused } from '@tidings/contracts'
import { outcomeOf } from './admission.ts'
import type { Grant } from '../session/session.ts'
import type { TransportKind } from '../session/transport.ts'

const Unauthorized = createError('UNAUTHORIZED', '%s', 401)

type TokenOf = (request: FastifyRequest, reply: FastifyReply) => string | undefined | Promise<string | undefined>

/** Decorates `app.admission`: the hooks by which the faces over plain HTTP let clients in, with `request.grant`. */
export const httpHooks = fp(async function admission (app) {
  const { admission, meters } = app
  app.decorateRequest('grant', null)

  app.decorate('admissionHooks', (kind: TransportKind, tokenOf: TokenOf) => ({
    onRequest: async (request: FastifyRequest) => {
      try {
        app.requireOrigin(request.raw)
        admission.assertAccepting()
      } catch (err) {
        meters.connects.inc({ transport: kind, outcome: outcomeOf(err) })
        throw err
      }
    },
    // The last step before the handler, so that no fault of the input leaves a seat taken.
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        const grant = await admission.admit(await tokenOf(request, reply))
        if (request.raw.socket.destroyed) return forget(grant, reply, kind)
        request.grant = grant
        // A client may still go before it has a session, which would give the seat back.
        reply.raw.once('close', grant.release)
        meters.connects.inc({ transport: kind, outcome: 'ok' })
      } catch (err) {
        meters.connects.inc({ transport: kind, outcome: outcomeOf(err) })
        if (!(err instanceof TokenRefused)) throw err
        request.log.debug({ transport: kind, code: err.code, reason: reasonOf(err) }, 'connection refused')
        reply.header('www-authenticate', err.code === 'token_missing' ? 'Bearer' : 'Bearer error="invalid_token"')
        throw new Unauthorized(err.message)
      }
    }
  }))

  /** Of a client that went while it was let in nothing more is heard: no handler is to wait for its end. */
  function forget (grant: Grant, reply: FastifyReply, kind: TransportKind) {
    grant.release()
    meters.connects.inc({ transport: kind, outcome: 'left' })
    reply.hijack()
  }
}, { name: 'admission-hooks', dependencies: ['admission', 'origins', 'realtime-metrics'] })

declare module 'fastify' {
  interface FastifyInstance {
    admissionHooks: (kind: TransportKind, tokenOf: TokenOf) => {
      onRequest: (request: FastifyRequest) => Promise<void>
      preHandler: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    }
  }
  interface FastifyRequest {
    grant: Grant | null
  }
}
