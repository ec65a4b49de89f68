import { randomUUID } from 'node:crypto'
import type { FastifyServerOptions } from 'fastify'
import type { CommonConfig } from './config.ts'

/** Fields that must not reach a log. */
const SECRETS = [
  'req.headers.authorization', 'req.headers.cookie', 'req.headers["sec-websocket-protocol"]',
  'token', 'refreshToken', 'secret', '*.token', '*.refreshToken', '*.secret'
]

/** What all services tell Fastify: logs, request ids, timeouts, bounds. */
export function serviceOptions ({ LOG_LEVEL }: Pick<CommonConfig, 'LOG_LEVEL'>) {
  return {
    logger: { level: LOG_LEVEL, redact: SECRETS },
    genReqId: () => randomUUID(),
    requestIdHeader: 'x-request-id',
    bodyLimit: 1024 * 1024,
    // Longer than the longest handler (a long poll of 30 s); a body has to arrive within it too.
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    return503OnClosing: true,
    routerOptions: { maxParamLength: 1024 }
  } satisfies FastifyServerOptions
}
