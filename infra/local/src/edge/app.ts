import type { IncomingMessage, ServerResponse } from 'node:http'
import cors from '@fastify/cors'
import Fastify, { LogController } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { clientErrorHandler, corsHeaders, corsSettings, problems, serviceOptions } from '@tidings/service-kit'
import type { EdgeConfig } from './config.ts'
import { dashboard } from './dashboard.ts'
import { docs } from './docs.ts'
import { sendOwn } from './forward/answers.ts'
import { createForwarder } from './forward/forwarder.ts'
import { createGatewayBalancer } from './gateway-balancer.ts'
import { gatewayWatch } from './gateway-watch.ts'
import { healthz } from './healthz.ts'
import { requestIdOf } from './request-id.ts'
import { createEdgeServer } from './server.ts'
import { upgrades } from './upgrades.ts'

const BAD_HOST = { status: 400, code: 'host-missing', detail: 'A request must have exactly one Host header' }

/**
 * One origin for the three services. It forwards requests without interpreting them: authentication, limits and the
 * meaning of a request are the concern of the services.
 */
export function buildEdge (config: EdgeConfig): FastifyInstance {
  const balancer = createGatewayBalancer(config.gateways)
  const forwarder = createForwarder({ config, balancer, log: () => app.log })
  const badHost = (request: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive = false
    sendOwn(request, response, { config, id: requestIdOf(request), problem: BAD_HOST })
  }
  const app: FastifyInstance = Fastify({
    ...serviceOptions({ LOG_LEVEL: config.logLevel }),
    serverFactory: own => createEdgeServer({ forward: forwarder.forward, own, badHost }),
    clientErrorHandler: clientErrorHandler(corsHeaders(config)(undefined)),
    genReqId: requestIdOf,
    // The services log each request.
    logController: new LogController({ disableRequestLogging: true }),
    // The services close first and end every stream, so connections that are still open here are idle.
    forceCloseConnections: true
  })
  app.addHook('preClose', async () => forwarder.close())

  app.register(cors, corsSettings(config))
  app.register(problems)
  app.register(healthz, { config })
  app.register(docs, { config })
  app.register(dashboard, { config })
  app.register(gatewayWatch, { gateways: config.gateways, balancer })
  app.register(upgrades, { config, balancer })
  return app
}
