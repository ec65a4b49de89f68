import createError from '@fastify/error'
import type { FastifyRequest } from 'fastify'

const InsufficientScope = createError('INSUFFICIENT_SCOPE', 'The token lacks the scope %s', 403)

/** An onRequest hook behind `app.authenticate`: 403 where the token lacks a scope. */
export function requireScope (scope: string) {
  return async function hasScope ({ user, log }: FastifyRequest): Promise<void> {
    if (user.scopes.includes(scope)) return
    log.debug({ scope, scopes: user.scopes }, 'request refused: scope missing')
    throw new InsufficientScope(scope)
  }
}
