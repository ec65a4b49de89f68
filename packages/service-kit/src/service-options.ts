import type { Server } from 'node:http'
import type { FastifyHttpOptions } from 'fastify'
import { clientErrorHandler } from './client-errors.ts'
import type { CommonConfig } from './config.ts'
import { logDestination } from './log-destination.ts'
import { pacedServer } from './paced-server.ts'
import { answerProblem } from './problems.ts'
import { describeRequest, requestId, withoutSecrets } from './request-log.ts'
import { ROUTER_OPTIONS } from './router-options.ts'

/** Fields that must not reach a log. */
const SECRETS = [
  'req.headers.authorization', 'req.headers.cookie', 'req.headers["sec-websocket-protocol"]',
  'token', 'refreshToken', 'secret', '*.token', '*.refreshToken', '*.secret'
]

/** Node's default of 16 KiB, and the headers that an edge adds. */
const MAX_HEADER_BYTES = 18 * 1024

type Tail<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never

/** Fastify options of all services: logs, request ids, timeouts, bounds. */
export function serviceOptions ({ LOG_LEVEL }: Pick<CommonConfig, 'LOG_LEVEL'>) {
  return {
    logger: { stream: logDestination, level: LOG_LEVEL, redact: SECRETS, serializers: { req: describeRequest } },
    // Fastify's own requestIdHeader copies a client's text of any length into each log line and response.
    requestIdHeader: false as const,
    genReqId: requestId,
    bodyLimit: 1024 * 1024,
    serverFactory: pacedServer,
    // A missing Host header is handled in problems.ts: Node's own response has no body.
    http: { maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false },
    clientErrorHandler: clientErrorHandler(),
    // Longer than the longest handler (a long poll of 30 s); a body must arrive within it too.
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    // While it closes, a service still answers requests on open connections, and ends these: a restart refuses no
    // request.
    return503OnClosing: false,
    // Plugins have their own timeouts (POSTGRES_START_TIMEOUT_MS); migrations have none.
    pluginTimeout: 0,
    // The messages of these errors quote the URL.
    frameworkErrors (
      err: Parameters<typeof answerProblem>[0], ...of: Tail<Parameters<typeof answerProblem>>
    ) { answerProblem(withoutSecrets(err), ...of) },
    routerOptions: ROUTER_OPTIONS
  } satisfies FastifyHttpOptions<Server>
}
