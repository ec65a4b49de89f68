import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify'
import { invalidInput, type InputFault } from './invalid-input.ts'

const BODYLESS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Hooks of a route without a body. Clients send a content type even without a body (axios and generated clients JSON,
 * `curl -d ''` and jQuery a form, fetch plain text), which is ignored then. The fields of a body are refused like any
 * unknown field.
 */
export const withoutBody = {
  async preParsing (
    this: void, { raw: { headers } }: FastifyRequest, _reply: unknown, payload: unknown
  ): Promise<RequestPayload> {
    const body = payload as Readable
    if (headers['content-type'] === undefined) return body
    const rest = headers['transfer-encoding'] === undefined ? whole(headers, body) : await begun(body)
    if (rest) return rest
    // Fastify chooses a parser by these headers.
    delete headers['content-type']
    delete headers['transfer-encoding']
    return body
  },
  async preValidation (this: void, { body }: FastifyRequest): Promise<void> {
    const errors = faultsOf(body)
    if (errors.length > 0) throw invalidInput(errors)
  }
}

/** Adds these hooks to the routes without a body schema that are registered in this scope from now on. */
export function allowEmptyBodies (app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    if (route.schema?.body !== undefined || [route.method].flat().every(method => BODYLESS.has(method))) return
    route.preParsing = [...[route.preParsing ?? []].flat(), withoutBody.preParsing]
    route.preValidation = [...[route.preValidation ?? []].flat(), withoutBody.preValidation]
  })
}

function whole (headers: IncomingHttpHeaders, body: Readable): Readable | undefined {
  return Number(headers['content-length'] ?? 0) === 0 ? undefined : body
}

/** Only reading shows whether a chunked body is empty. */
async function begun (body: Readable): Promise<Readable | undefined> {
  const chunks = body.iterator() as AsyncIterableIterator<Buffer>
  const first = await chunks.next()
  if (first.done) return undefined
  return Readable.from((async function * () {
    yield first.value
    yield * chunks
  })(), { objectMode: false })
}

function faultsOf (body: unknown): InputFault[] {
  if (body === undefined || body === null) return []
  if (typeof body !== 'object' || Array.isArray(body)) return [{ path: 'body', message: 'must be empty' }]
  return Object.keys(body).map(name => ({ path: `body.${name}`, message: `unknown: ${name}` }))
}
