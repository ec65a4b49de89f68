import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import { jwtAuth } from '@tidings/contracts'
import {
  accessControl, browserGuards, docs, health, jsonBodies, loops, metrics, problems, redis, redisUrl, serviceOptions,
  tokenSettings, validatorCompiler, WEB_SOCKET_PATHS, webSocketsAt
} from '@tidings/service-kit'
import { adminServer } from './admin/plugin.ts'
import { httpHooks } from './admission/http-hooks-plugin.ts'
import { origins } from './admission/origins-plugin.ts'
import { admission } from './admission/plugin.ts'
import { ticketRoute } from './admission/ticket-route.ts'
import type { Config } from './config.ts'
import { realtimeMetrics } from './metrics.ts'
import { eventDocs } from './docs/plugin.ts'
import { API } from './openapi.ts'
import { bulkProgress } from './session/bulk-progress.ts'
import { sessions } from './session/plugin.ts'
import { stream } from './stream/plugin.ts'
import { socketIo } from './transports/socket-io/plugin.ts'
import { sse } from './transports/sse/plugin.ts'
import { webSocket } from './transports/websocket/plugin.ts'

/** The realtime gateway: one core of sessions behind three transports. */
export function buildApp (config: Config) {
  // While the sessions are drained /metrics and /readyz still answer, and admission refuses new clients with 503.
  const options = serviceOptions(config)
  const app = Fastify({ ...options, http: { ...options.http, shouldUpgradeCallback: webSocketsAt(WEB_SOCKET_PATHS) } })
    .withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)

  // Boot runs down this list; close runs back up it once the sessions are drained.
  app.decorate('config', config)
  app.register(problems)
  app.register(jsonBodies)
  app.register(browserGuards, { config })
  app.register(health)
  app.register(metrics)
  app.register(realtimeMetrics)
  app.register(loops)
  app.register(docs, API)
  app.register(redis, { url: redisUrl(config) })
  app.register(jwtAuth, { settings: tokenSettings(config) })
  app.register(accessControl)
  app.register(eventDocs)
  app.register(stream)
  app.register(origins, { config })
  app.register(admission)
  app.register(httpHooks)
  app.register(ticketRoute)
  app.register(sessions)
  app.register(bulkProgress)
  app.register(socketIo)
  app.register(webSocket)
  app.register(sse)
  app.register(adminServer)
  return app
}
