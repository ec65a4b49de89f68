import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { reasonOf, TokenRefused } from '@tidings/contracts'
import type { Grant } from '../session/session.ts'
import type { TransportKind } from '../session/transport.ts'
import { outcomeOf } from './admission.ts'

const Unauthorized = createError('UNAUTHORIZED', '%s', 401)

/** The token of a client, and the user that it names if it is an operator. */
export type Credentials = { token: string | undefined, userId: unknown }
type CredentialsOf = (request: FastifyRequest, reply: FastifyReply) => Credentials | Promise<Credentials>

/**
 * Decorates `app.admissionHooks`: the hooks with which the transports over plain HTTP (WebSocket and SSE) admit
 * clients. The handler finds the grant in `request.grant`.
 */
export const httpHooks = fp(async function httpHooks (app) {
  const { admission, meters } = app
  app.decorateRequest('grant', null)

  app.decorate('admissionHooks', (transport: TransportKind, credentialsOf: CredentialsOf) => ({
    onRequest: async (request: FastifyRequest) => {
      try {
        app.requireOrigin(request.raw)
        admission.assertAccepting()
      } catch (err) {
        meters.connects.inc({ transport, outcome: outcomeOf(err) })
        throw err
      }
    },
    // The last step before the handler, so that invalid input never leaves a session counted.
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        const credentials = await credentialsOf(request, reply)
        const route = request.routeOptions.url ?? ''
        const grant = await admission.admit({ ...credentials, route, requestId: request.id })
        if (request.raw.socket.destroyed) return abandon(grant, reply, transport)
        request.grant = grant
        // A client may still disconnect before it has a session, whose end would release the grant.
        reply.raw.once('close', grant.release)
        meters.connects.inc({ transport, outcome: 'ok' })
      } catch (err) {
        meters.connects.inc({ transport, outcome: outcomeOf(err) })
        if (!(err instanceof TokenRefused)) throw err
        request.log.debug({ transport, code: err.code, reason: reasonOf(err) }, 'connection refused')
        const isMissing = err.code === 'token_missing'
        reply.header('www-authenticate', isMissing ? 'Bearer' : 'Bearer error="invalid_token"')
        throw new Unauthorized(err.message)
      }
    }
  }))

  /** For a client that disconnected during its admission: no event follows that a handler could wait for. */
  function abandon (grant: Grant, reply: FastifyReply, transport: TransportKind) {
    grant.release()
    meters.connects.inc({ transport, outcome: 'left' })
    reply.hijack()
  }
}, { name: 'admission-hooks', dependencies: ['admission', 'origins', 'realtime-metrics'] })

declare module 'fastify' {
  interface FastifyInstance {
    admissionHooks: (transport: TransportKind, credentialsOf: CredentialsOf) => {
      onRequest: (request: FastifyRequest) => Promise<void>
      preHandler: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    }
  }
  interface FastifyRequest {
    grant: Grant | null
  }
}
