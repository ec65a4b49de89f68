import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TokenRefused } from '@tidings/contracts'
import type { Pass } from '../auth/gate.ts'
import type { Face } from '../session/wire.ts'

const OriginRefused = createError('ORIGIN_REFUSED', 'This origin may not connect', 403)
const Unauthorized = createError('UNAUTHORIZED', '%s', 401)

type TokenOf = (request: FastifyRequest) => string | undefined | Promise<string | undefined>

/** Decorates `app.admission`: the hooks by which the faces over plain HTTP let clients in, with `request.pass`. */
export const admission = fp(async function admission (app) {
  const { gate, meters } = app
  app.decorateRequest('pass', null)

  app.decorate('admission', (face: Face, tokenOf: TokenOf) => ({
    onRequest: async (request: FastifyRequest) => {
      if (!app.isOriginAllowed(request.headers.origin)) throw new OriginRefused()
      gate.knock()
    },
    // The last step before the handler, so that no fault of the input leaves a seat taken.
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        request.pass = await gate.enter(await tokenOf(request))
        meters.connects.inc({ face, outcome: 'ok' })
      } catch (err) {
        meters.connects.inc({ face, outcome: outcomeOf(err) })
        if (!(err instanceof TokenRefused)) throw err
        reply.header('www-authenticate', err.code === 'token_missing' ? 'Bearer' : 'Bearer error="invalid_token"')
        throw new Unauthorized(err.message)
      }
    }
  }))
}, { name: 'admission', dependencies: ['sessions', 'origins'] })

function outcomeOf (err: unknown): string {
  return (err as { code?: string }).code?.toLowerCase() ?? 'failed'
}

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
