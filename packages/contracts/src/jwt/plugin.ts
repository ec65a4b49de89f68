import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { allowedAlgorithms, keyFinder } from './keys.ts'
import { clockToleranceMs, type JwtSettings } from './settings.ts'
import { createTokenVerifier, TokenRefused, type Identity, type VerifyToken } from './verifier.ts'

export const Unauthorized = createError('UNAUTHORIZED', '%s', 401)

type JwtPluginOptions = {
  settings: JwtSettings
  /** Called for every valid token; revoked ones are refused. Synchronous where the answer is known. */
  isRevoked?: (identity: Identity) => boolean | Promise<boolean>
}

/**
 * Decorates `app.verifyToken` and the onRequest hook `app.authenticate`, which sets `request.user = { userId, … }` or
 * answers 401 with WWW-Authenticate; registers @fastify/jwt with the same keys.
 */
export const jwtAuth = fp<JwtPluginOptions>(async function jwtAuth (app, { settings, isRevoked }) {
  const findKey = keyFinder(settings)
  const verifyToken = createTokenVerifier(settings)

  await app.register(fastifyJwt, {
    secret: (_request: FastifyRequest, token: TokenOrHeader) => findKey('header' in token ? token.header : token),
    decode: { complete: true }, // the key depends on the header
    verify: { algorithms: allowedAlgorithms(settings), clockTolerance: clockToleranceMs(settings) }
  })
  app.decorate('verifyToken', verifyToken)
  app.decorate('authenticate', function authenticate (request, reply, done) {
    try {
      const identity = identify(bearerToken(request.headers.authorization))
      if (identity instanceof Promise) {
        return identity.then(identity => admit(request, identity), err => refuse(err, request, reply))
      }
      admit(request, identity)
    } catch (err) {
      refuse(err, request, reply)
    }
    done()
  })

  // Not request.jwtVerify: it verifies again on each request (40 µs), this one caches.
  function identify (token: string | undefined): Identity | Promise<Identity> {
    const identity = verifyToken(token)
    return identity instanceof Promise ? identity.then(notRevoked) : notRevoked(identity)
  }

  function notRevoked (identity: Identity): Identity | Promise<Identity> {
    const answer = isRevoked?.(identity) ?? false
    return answer instanceof Promise
      ? answer.then(revoked => orRefused(identity, revoked))
      : orRefused(identity, answer)
  }
}, { name: 'jwt-auth' })

/** The token of an `Authorization: Bearer …` header; undefined where there is none. */
export function bearerToken (authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
}

function orRefused (identity: Identity, isRevoked: boolean): Identity {
  if (isRevoked) throw new TokenRefused('token_invalid', 'The token was revoked')
  return identity
}

function admit (request: FastifyRequest, identity: Identity): void {
  request.user = identity
  request.log.debug({ userId: identity.userId }, 'authenticated')
}

function refuse (err: unknown, request: FastifyRequest, reply: FastifyReply): never {
  if (!(err instanceof TokenRefused)) throw err
  request.log.debug({ code: err.code, reason: reasonOf(err) }, 'authentication refused')
  reply.header('www-authenticate', challenge(err))
  throw new Unauthorized(err.message)
}

/** The reason for the log: it names the claim or signature, which the message to the client does not. */
export function reasonOf ({ message, cause }: TokenRefused): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

// RFC 6750 §3: no error code for a request without a token.
function challenge ({ code, message }: TokenRefused): string {
  return code === 'token_missing' ? 'Bearer' : `Bearer error="invalid_token", error_description="${message}"`
}

declare module '@fastify/jwt' {
  interface FastifyJWT { user: Identity }
}

declare module 'fastify' {
  interface FastifyInstance {
    verifyToken: VerifyToken
    authenticate: onRequestHookHandler
  }
}
