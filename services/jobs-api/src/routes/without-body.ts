import createError from '@fastify/error'
import type { FastifyInstance } from 'fastify'

const InvalidBody = createError('INVALID_INPUT', 'The request is not valid', 400)

/**
 * For routes whose path says all. Clients that name JSON as their content type
 * whatever they send need no body for it; one that says something is refused
 * like any unknown field.
 */
export function withoutBody (app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body.length === 0 ? done(null, undefined) : parse(request, body as string, done))
  app.addHook('preValidation', (request, _reply, done) => {
    const faults = faultsOf(request.body)
    done(faults.length > 0 ? Object.assign(new InvalidBody(), { errors: faults }) : undefined)
  })
}

function faultsOf (body: unknown) {
  if (body === undefined || body === null) return []
  if (typeof body !== 'object' || Array.isArray(body)) return [{ path: 'body', message: 'must be empty' }]
  return Object.keys(body).map(name => ({ path: `body.${name}`, message: `unknown: ${name}` }))
}
