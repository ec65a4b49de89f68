import fp from 'fastify-plugin'
import { accessControl, openApiDocument, VERSION } from '@tidings/service-kit'
import { httpHooks } from './admission/http-hooks-plugin.ts'
import { origins } from './admission/origins-plugin.ts'
import { ticketRoute } from './admission/ticket-route.ts'
import { loadConfig } from './config.ts'
import { sse } from './transports/sse/plugin.ts'

export const API = {
  title: 'Tidings realtime gateway',
  description: 'Delivers every job event to its owner, in order, with resume: as event streams, and over Socket.IO ' +
    'at `/socket.io/` and WebSocket at `/ws`, which OpenAPI cannot describe',
  version: VERSION,
  tags: { realtime: 'Event streams, and the tickets with which a browser opens them' },
  securitySchemes: {
    ticket: {
      type: 'apiKey',
      in: 'query',
      name: 'ticket',
      description: 'From `POST /auth/ticket`: opens one stream within a minute, and the same stream again when it ' +
        'reconnects with Last-Event-ID'
    }
  }
}

/** The decorators that the routes use, by the plugin that provides them. */
const USED = {
  redis: ['redis'],
  'realtime-metrics': ['meters'],
  admission: ['admission'],
  sessions: ['sessions', 'subscribeOptions']
}

/** The OpenAPI document of the routes. */
export async function describeApi (): Promise<object> {
  const config = loadConfig({ TOKEN_SECRET: 'none' })
  return await openApiDocument({
    api: API,
    register: app => {
      app.decorate('config', config)
      for (const [name, decorators] of Object.entries(USED)) app.register(standIn(name, decorators))
      app.register(accessControl)
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
