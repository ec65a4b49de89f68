import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import createError from '@fastify/error'
import { PROBLEM_JSON, type Problem } from '@tidings/contracts'
import { collectMethods } from './allowed-methods.ts'
import { endWith } from './client-errors.ts'
import { isPostgresUnavailable } from './postgres/faults.ts'
import { isRedisUnavailable } from './redis/faults.ts'
import type { InputFault } from './invalid-input.ts'
import { problem, rawProblem } from './raw-problem.ts'
import { unavailable } from './unavailable.ts'

const HostMissing = createError('HOST_MISSING', 'An HTTP/1.1 request needs a Host header', 400)

const NO_TUNNELS = { status: 405, code: 'method-not-allowed', detail: 'This server is not a proxy' }
const UNKNOWN_EXPECTATION = {
  status: 417, code: 'expectation-failed', detail: 'The only supported Expect is 100-continue'
}

/** How much of a too large body is still read before the response. */
const DRAIN_BYTES = 64 * 1024 * 1024
const DRAIN_MS = 5000

/** Every error leaves as application/problem+json (RFC 9457); a 5xx never shows internal details. */
export const problems = fp(async function problems (app) {
  app.setErrorHandler<FastifyError>(async (err, request, reply) => {
    // A connection that is closed while its client still sends is reset, and the response lost.
    if (err.statusCode === 413) await drain(request.raw)
    // A request without a route is answered as such, even with a faulty body.
    if (request.is404) return answerUnknown(request, reply)
    return answerProblem(err, request, reply)
  })
  app.server.on('connect', (_request, socket) => endWith(socket as Socket, rawProblem(NO_TUNNELS)))
  app.server.on('checkExpectation', (_request, response: ServerResponse) => {
    response.writeHead(417, { 'content-type': PROBLEM_JSON, connection: 'close' }).end(
      JSON.stringify(problem(UNKNOWN_EXPECTATION))
    )
  })
  const methodsOf = collectMethods(app)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') return done(new HostMissing())
    if (request.method === 'OPTIONS') addAllow(reply, methodsOf(request.url))
    done()
  })
  const answerUnknown = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?')[0] as string
    const methods = methodsOf(request.url)
    addAllow(reply, methods)
    return sendProblem(request, reply, methods.length === 0
      ? { ...titled(404, 'NOT_FOUND'), detail: `No route ${request.method} ${path}` }
      : { ...titled(405, 'METHOD_NOT_ALLOWED'), detail: `${path} takes ${methods.join(', ')}, not ${request.method}` })
  }
  app.setNotFoundHandler(answerUnknown)
}, { name: 'problems' })

/** RFC 9110 §10.2.1. An unknown path allows nothing in particular. */
function addAllow (reply: FastifyReply, methods: string[]) {
  if (methods.length > 0) reply.header('allow', methods.join(', '))
}

/** Answers an error. Exported for errors before a route: a malformed URL. */
export function answerProblem (err: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const isOurs = !isClientGone(err, request) && (isPostgresUnavailable(err) || isRedisUnavailable(err))
  const shown = isOurs ? unavailable() as FastifyError : err
  const status = statusOf(shown, reply)
  if (status >= 500) request.log.error(loggable(err), 'request failed')
  else request.log.debug({ err }, 'request refused')
  if (status === 503 || status === 429) {
    addHeader(reply, 'retry-after', String((err as { retryAfterS?: number }).retryAfterS ?? 1))
  }
  if (status === 401) addHeader(reply, 'www-authenticate', 'Bearer')
  const { scope } = err as { scope?: string }
  if (status === 403 && scope !== undefined) {
    addHeader(reply, 'www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`)
  }
  return sendProblem(request, reply, { ...problemOf(shown, status), ...mediaTypeDetail(shown, request) })
}

/** A connection that its client has reset while sending: the same code as that of one to Postgres or Redis. */
function isClientGone ({ code }: FastifyError, { raw }: FastifyRequest): boolean {
  return code === 'ECONNRESET' && raw.destroyed && !raw.complete
}

/**
 * drizzle's message contains all parameters of a statement, secrets of users among them; its cause describes the fault.
 */
function loggable (err: FastifyError): object {
  const { query, cause } = err as { query?: unknown, cause?: unknown }
  return typeof query === 'string' && cause instanceof Error ? { err: cause, query } : { err }
}

/** Reads and discards the body, up to its end or a bound. */
async function drain (body: IncomingMessage): Promise<void> {
  if (body.complete || body.destroyed) return
  let bytes = 0
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, DRAIN_MS)
    const done = () => { clearTimeout(timer); resolve() }
    body.on('data', (chunk: Buffer) => { if ((bytes += chunk.length) > DRAIN_BYTES) done() })
    body.once('end', done)
    body.once('close', done)
  })
}

function sendProblem (request: FastifyRequest, reply: FastifyReply, problem: Problem) {
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_JSON)
    // Not the route's serializer: it knows the successful responses only.
    .serializer(JSON.stringify)
    .send({ ...problem, instance: `urn:request:${request.id}` })
}

/** The problem that a client sees for an error. */
function problemOf (err: FastifyError, status: number): Problem {
  if (err.validation) {
    return {
      ...titled(400, 'INVALID_INPUT'),
      detail: 'The request is not valid',
      errors: faultsOf(
        err.validation, err.validationContext ?? 'body'
      )
    }
  }
  const isDeliberate = err.statusCode !== undefined
  const problem = titled(status, status < 500 ||
    isDeliberate
    ? err.code ?? 'ERROR'
    : 'INTERNAL_ERROR') // not an SQLSTATE, say
  const { errors } = err as { errors?: InputFault[] }
  return {
    ...problem,
    ...(status < 500 || status === 503 ? { detail: err.message } : {}),
    ...(isFaultList(errors) && {
      errors
    })
  }
}

/** Fastify's own text says neither what came nor what is read. */
function mediaTypeDetail ({ code }: FastifyError, { headers }: FastifyRequest): { detail?: string } {
  if (code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return {}
  const type = headers['content-type']
  return { detail: `A body is application/json; its Content-Type is ${type ? shortened(type) : 'missing'}` }
}

function titled (status: number, code: string): Problem {
  return {
    type: `urn:tidings:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status
  }
}

type ValidationFault = { instancePath?: string, message?: string, params?: Record<string, unknown> }

function faultsOf (faults: ValidationFault[], context: string): InputFault[] {
  // TypeBox reports an unknown field twice: as such, and as a field whose schema is `false`.
  return faults.filter(({ message }) => message !== 'schema is false').map(fault => faultOf(fault, context))
}

/** Maximum number of unknown fields in one message, and of characters of a path or name: clients choose both. */
const MAX_NAMED = 20
const MAX_TEXT = 256

function faultOf (
  { instancePath = '', message = 'is not valid', params = {} }: ValidationFault, context: string
): InputFault {
  const named = [params.additionalProperties, params.requiredProperties].flat().filter(name => typeof name === 'string')
  const path = shortened(
    [context, ...instancePath.split('/').filter(Boolean), ...(named.length === 1 ? named : [])].join('.')
  )
  if (params.additionalProperties !== undefined) return { path, message: `unknown: ${listed(named)}` }
  if (params.requiredProperties !== undefined) {
    return { path, message: named.length === 1 ? 'is missing' : `lacks ${listed(named)}` }
  }
  const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.map(String).join(', ')}` : ''
  return { path, message: message + allowed }
}

function listed (names: string[]): string {
  const others = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  return names.slice(0, MAX_NAMED).map(shortened).join(', ') + others
}

function shortened (text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT).toWellFormed()}…` : text
}

function statusOf (err: FastifyError, reply: FastifyReply): number {
  const status = err.statusCode ?? (reply.statusCode >= 400 ? reply.statusCode : 500)
  return status >= 400 && status <= 599 ? status : 500
}

function addHeader (reply: FastifyReply, name: string, value: string) {
  if (!reply.hasHeader(name)) reply.header(name, value)
}

function isFaultList (errors: unknown): errors is InputFault[] {
  return Array.isArray(errors) && errors.every(fault => typeof (fault as InputFault)?.path === 'string')
}
