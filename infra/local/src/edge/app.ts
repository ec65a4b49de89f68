import Fastify, { LogController } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { problems, serviceOptions } from '@tidings/service-kit'
import type { EdgeConfig } from './config.ts'
import { docs } from './docs.ts'
import { createGatewayBalancer } from './gateway-balancer.ts'
import { gatewayWatch } from './gateway-watch.ts'
import { healthz } from './healthz.ts'
import { httpProxy } from './http-proxy.ts'
import { upgrades } from './upgrades.ts'

/** One origin for the three services. CORS, authentication and limits are the services' own. */
export function buildEdge (config: EdgeConfig): FastifyInstance {
  const app = Fastify({
    ...serviceOptions({ LOG_LEVEL: config.logLevel }),
    bodyLimit: 8 * 1024 * 1024, // of /submit-jobs, the largest that a service takes
    // The services log each request; here it would be the second line of the same.
    logController: new LogController({ disableRequestLogging: true }),
    // The services, which close first, have ended every stream; whatever is still open here is idle.
    forceCloseConnections: true
  })
  const balancer = createGatewayBalancer(config.gateways)

  app.register(problems)
  app.register(healthz, { config })
  app.register(docs, { config })
  app.register(gatewayWatch, { gateways: config.gateways, balancer })
  app.register(httpProxy, { config, balancer })
  app.register(upgrades, { gateways: config.gateways, balancer })
  return app
}
