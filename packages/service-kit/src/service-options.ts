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

/** Node's default, and what an edge adds to the headers of a client. */
const MAX_HEADER_BYTES = 18 * 1024

type Tail<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never

/** What all services tell Fastify: logs, request ids, timeouts, bounds. */
export function serviceOptions ({ LOG_LEVEL }: Pick<CommonConfig, 'LOG_LEVEL'>) {
  return {
    logger: { stream: logDestination, level: LOG_LEVEL, redact: SECRETS, serializers: { req: describeRequest } },
    // Fastify's own requestIdHeader takes whatever a client sends, of any length, into each log line and answer.
    requestIdHeader: false as const,
    genReqId: requestId,
    bodyLimit: 1024 * 1024,
    serverFactory: pacedServer,
    http: { maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false }, // the latter in problems.ts: Node's own answer has no body
    clientErrorHandler: clientErrorHandler(),
    // Longer than the longest handler (a long poll of 30 s); a body has to arrive within it too.
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    // A service that closes answers what still comes over open connections, and ends them: a restart refuses nothing.
    return503OnClosing: false,
    // A plugin bounds its own waiting (POSTGRES_START_TIMEOUT_MS), and a migration takes as long as it takes.
    pluginTimeout: 0,
    // Their messages quote the URL.
    frameworkErrors (err: Parameters<typeof answerProblem>[0], ...of: Tail<Parameters<typeof answerProblem>>) { answerProblem(withoutSecrets(err), ...of) },
    routerOptions: ROUTER_OPTIONS
  } satisfies FastifyHttpOptions<Server>
}
