import type { FastifyServerOptions } from 'fastify'
import type { CommonConfig } from './config.ts'
import { pacedServer } from './paced-server.ts'
import { answerProblem } from './problems.ts'
import { describeRequest, requestId, withoutSecrets } from './request-log.ts'

/** Fields that must not reach a log. */
const SECRETS = [
  'req.headers.authorization', 'req.headers.cookie', 'req.headers["sec-websocket-protocol"]',
  'token', 'refreshToken', 'secret', '*.token', '*.refreshToken', '*.secret'
]

type Tail<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never

/** What all services tell Fastify: logs, request ids, timeouts, bounds. */
export function serviceOptions ({ LOG_LEVEL }: Pick<CommonConfig, 'LOG_LEVEL'>) {
  return {
    logger: { level: LOG_LEVEL, redact: SECRETS, serializers: { req: describeRequest } },
    // Fastify's own requestIdHeader takes whatever a client sends, of any length, into each log line and answer.
    requestIdHeader: false as const,
    genReqId: requestId,
    bodyLimit: 1024 * 1024,
    serverFactory: pacedServer,
    // Longer than the longest handler (a long poll of 30 s); a body has to arrive within it too.
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    return503OnClosing: true,
    // A plugin bounds its own waiting (POSTGRES_START_TIMEOUT_MS), and a migration takes as long as it takes.
    pluginTimeout: 0,
    // Their messages quote the URL.
    frameworkErrors (err: Parameters<typeof answerProblem>[0], ...of: Tail<Parameters<typeof answerProblem>>) { answerProblem(withoutSecrets(err), ...of) },
    // A job id of 256 characters, each of them three bytes and so nine characters of a URL.
    routerOptions: { maxParamLength: 2304, ignoreTrailingSlash: true }
  } satisfies FastifyServerOptions
}
