import type { FastifyCorsOptions } from '@fastify/cors'
import { corsOrigins, type CommonConfig } from './config.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE']

/** Headers that clients in a browser may read. */
const EXPOSED = [
  'etag', 'location', 'retry-after', 'www-authenticate', 'allow', 'x-request-id',
  'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'
].join(', ')

/** How long a browser reuses a preflight. Chromium keeps one for two hours at most, Firefox for a day. */
const PREFLIGHT_SECONDS = 7200

type CorsConfig = Pick<CommonConfig, 'CORS_ORIGIN' | 'NODE_ENV'>

/**
 * The options of @fastify/cors. Credentials are allowed for named origins only: together with "any origin" they would
 * let every page on the web act as the user whose cookies the browser has.
 */
export function corsSettings (config: CorsConfig): FastifyCorsOptions {
  const origin = corsOrigins(config)
  return {
    origin: origin === true ? '*' : origin,
    credentials: origin !== true && origin.length > 0,
    methods: METHODS,
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    // OPTIONS without the headers of a preflight asks for the allowed methods; `allow` lists them.
    strictPreflight: false
  }
}

/** The CORS headers of a response that does not pass through Fastify. */
export function corsHeaders (config: CorsConfig) {
  const allowed = corsOrigins(config)

  return function headersFor (
    origin: string | undefined, preflight?: { headers: string | undefined }
  ): [string, string][] {
    const vary: [string, string][] = allowed === true ? [] : [['vary', 'Origin']]
    if (allowed !== true && (origin === undefined || !allowed.includes(origin))) return vary
    return [
      ...vary,
      ['access-control-allow-origin', allowed === true ? '*' : origin as string],
      ...(allowed === true ? [] : [['access-control-allow-credentials', 'true'] as [string, string]]),
      ...(preflight === undefined
        ? [['access-control-expose-headers', EXPOSED] as [string, string]]
        : preflightHeaders(preflight.headers))
    ]
  }
}

function preflightHeaders (requested: string | undefined): [string, string][] {
  return [
    ['access-control-allow-methods', METHODS.join(', ')],
    ...(requested === undefined ? [] : [['access-control-allow-headers', requested] as [string, string]]),
    ['access-control-max-age', String(PREFLIGHT_SECONDS)]
  ]
}
