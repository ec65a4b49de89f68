import fp from 'fastify-plugin'
import { corsOrigins } from '@tidings/service-kit'
import type { Config } from '../config.ts'

/**
 * Decorates `app.isOriginAllowed`. Browsers do not apply CORS to WebSockets, so
 * the origin that they name is looked at here; who is no browser names none.
 */
export const origins = fp<{ config: Config }>(async function origins (app, { config }) {
  const allowed = corsOrigins(config)
  app.decorate('isOriginAllowed', (origin: string | undefined) => origin === undefined || allowed === true || allowed.includes(origin))
}, { name: 'origins' })

declare module 'fastify' {
  interface FastifyInstance {
    isOriginAllowed: (origin: string | undefined) => boolean
  }
}
