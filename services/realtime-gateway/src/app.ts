import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import { jwtAuth } from '@tidings/contracts'
import { browserGuards, docs, health, jsonBodies, metrics, problems, redis, redisUrl, serviceOptions, tokenSettings, validatorCompiler, WEB_SOCKET_PATHS, webSocketsAt } from '@tidings/service-kit'
import { ticketRoute } from './auth/ticket-route.ts'
import type { Config } from './config.ts'
import { API } from './openapi.ts'
import { admission } from './plugins/admission.ts'
import { origins } from './plugins/origins.ts'
import { sessions } from './plugins/sessions.ts'
import { operators } from './revocation/operators.ts'
import { socketIo } from './socket-io/socket-io.ts'
import { sse } from './sse/sse.ts'
import { webSocket } from './websocket/websocket.ts'

/** The realtime gateway: one core of sessions, and the faces that clients see of it. */
export function buildApp (config: Config) {
  // While the sessions are drained /metrics and /readyz go on, and the gate itself says when to come back.
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
  app.register(docs, API)
  app.register(redis, { url: redisUrl(config) })
  app.register(jwtAuth, { settings: tokenSettings(config) })
  app.register(origins, { config })
  app.register(sessions)
  app.register(admission)
  app.register(ticketRoute)
  app.register(socketIo)
  app.register(webSocket)
  app.register(sse)
  app.register(operators)
  return app
}
