import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { Pool } from 'undici'
import { DELIVERY_BULK_PATH, type BulkList } from '@tidings/contracts'
import { readBounded, unavailable } from '@tidings/service-kit'

/** Below HANDLER_TIMEOUT_MS: the selection of 100,000 deliveries takes some seconds. */
const TIMEOUT_MS = 12_000
const CONNECT_TIMEOUT_MS = 2000
const CONNECTIONS = 16
/** A list of 100 bulk actions with 20 errors each has 1.3 MB at most. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024

const FORWARDED = ['location', 'retry-after', 'www-authenticate'] as const

type Forwarded = { path?: string, body?: unknown }

/** A client of webhook-dispatcher, which has the bulk actions on deliveries, with the token of the request. */
export function createDispatcher ({ url, log }: { url: string, log: FastifyBaseLogger }) {
  const { origin, pathname } = new URL(url)
  const base = pathname.replace(/\/$/, '') + DELIVERY_BULK_PATH
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS
  })

  /** Answers a request with the dispatcher's answer. @throws 503 where the dispatcher does not respond */
  async function forward (request: FastifyRequest, reply: FastifyReply, { path = '', body }: Forwarded = {}) {
    const { statusCode, headers, text } = await ask(request, { path, body })
    for (const name of FORWARDED) if (headers[name] !== undefined) reply.header(name, headers[name])
    const type = headers['content-type'] ?? 'application/json'
    return reply.code(statusCode).header('content-type', type).serializer(String).send(text)
  }

  /** The bulk actions on deliveries of the user; undefined where the dispatcher does not respond. */
  async function list (request: FastifyRequest): Promise<BulkList['bulks'] | undefined> {
    try {
      const { statusCode, text } = await ask(request, { path: '' })
      if (statusCode === 200) return (JSON.parse(text) as BulkList).bulks
      log.warn({ statusCode }, 'dispatcher: list of bulk actions refused')
    } catch (err) {
      log.debug({ err }, 'dispatcher: no list of bulk actions')
    }
  }

  async function ask ({ method, headers, id, query }: FastifyRequest, { path = '', body }: Forwarded) {
    const { authorization, 'idempotency-key': key } = headers
    const { userId } = query as { userId?: string }
    try {
      const response = await pool.request({
        method: method as 'GET',
        path: `${base}${path}${userId ? `?userId=${encodeURIComponent(userId)}` : ''}`,
        headers: {
          authorization,
          'x-request-id': id,
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(body !== undefined && { 'content-type': 'application/json' })
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS)
      })
      const text = (await readBounded(response.body, MAX_RESPONSE_BYTES)).toString()
      return { statusCode: response.statusCode, headers: response.headers, text }
    } catch (err) {
      log.warn({ err }, 'dispatcher: unreachable')
      // Without the cause, whose code would make it a fault of a database.
      throw unavailable('The service that redelivers (WEBHOOK_DISPATCHER_URL) does not respond; try again')
    }
  }

  return { forward, list, close: async () => await pool.destroy() }
}
