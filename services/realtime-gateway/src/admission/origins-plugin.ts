import type { IncomingMessage } from 'node:http'
import createError from '@fastify/error'
import fp from 'fastify-plugin'
import { corsOrigins } from '@tidings/service-kit'
import type { Config } from '../config.ts'
import { isSameOrigin } from './forwarded.ts'

const OriginRefused = createError('ORIGIN_REFUSED', 'This origin may not connect', 403)

/**
 * Decorates `app.requireOrigin`. Browsers do not apply CORS to WebSockets, so their Origin header is checked here;
 * other clients send none. A page of this service's own origin needs no permission.
 */
export const origins = fp<{ config: Config }>(async function origins (app, { config }) {
  const allowed = corsOrigins(config)
  app.decorate('requireOrigin', request => {
    const { origin } = request.headers
    if (origin === undefined || allowed === true || allowed.includes(origin)) return
    if (!isSameOrigin(origin, request)) throw new OriginRefused()
  })
}, { name: 'origins' })

declare module 'fastify' {
  interface FastifyInstance {
    /** @throws OriginRefused */
    requireOrigin: (request: IncomingMessage) => void
  }
}
