import fp from 'fastify-plugin'
import { openApiDocument, packageVersion } from '@tidings/service-kit'
import { ticketRoute } from './admission/ticket-route.ts'
import { loadConfig } from './config.ts'
import { httpHooks } from './admission/http-hooks-plugin.ts'
import { origins } from './admission/origins-plugin.ts'
import { sse } from './transports/sse/plugin.ts'

export const API = {
  title: 'Tidings realtime gateway',
  description: 'Every job event to its owner, in order, with resume: as event streams, and by Socket.IO at `/socket.io/` and WebSocket at `/ws`, of which OpenAPI can\'t tell',
  version: packageVersion(new URL('../package.json', import.meta.url)),
  securitySchemes: {
    ticket: { type: 'apiKey', in: 'query', name: 'ticket', description: 'Of `POST /auth/ticket`: opens one stream within a minute, and again when that comes back with Last-Event-ID' }
  }
}

/** What the routes take from the core when they are called, by the plugin that they name. */
const USED = { redis: ['redis'], 'realtime-metrics': ['meters'], admission: ['admission'], sessions: ['sessions', 'subscribeOptions'] }

/** The OpenAPI document of the routes. */
export async function describeApi (): Promise<object> {
  const config = loadConfig({ TOKEN_SECRET: 'none' })
  return await openApiDocument({
    api: API,
    register: app => {
      app.decorate('config', config)
      for (const [name, decorators] of Object.entries(USED)) app.register(standIn(name, decorators))
      app.register(origins, { config })
      app.register(httpHooks)
      app.register(ticketRoute)
      app.register(sse)
    }
  })
}

function standIn (name: string, decorators: string[]) {
  return fp(async app => {
    for (const decorator of decorators) app.decorate(decorator, null)
  }, { name })
}
