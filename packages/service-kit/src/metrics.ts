import prom from '@platformatic/prom-client'
import fastifyMetrics, { type IMetricsPluginOptions } from 'fastify-metrics'
import fp from 'fastify-plugin'

export type MetricsRegistry = InstanceType<typeof prom.Registry>

/**
 * `/metrics` for Prometheus and `app.metricsRegistry`, in which a service
 * creates its own metrics (`new prom.Counter({ …, registers: [app.metricsRegistry] })`).
 * A registry per app, so that two apps in one process don't mix.
 */
export const metrics = fp(async function metrics (app) {
  const registry = new prom.Registry()
  await app.register(fastifyMetrics.default, {
    endpoint: null,
    promClient: prom as unknown as IMetricsPluginOptions['promClient'],
    defaultMetrics: { enabled: true, register: registry as never },
    routeMetrics: {
      enabled: { histogram: true, summary: false },
      routeBlacklist: ['/metrics', '/livez', '/readyz'],
      // The summary is made even where it is not enabled, and would go to the registry that all apps share.
      overrides: { histogram: { registers: [registry as never] }, summary: { registers: [registry as never] } }
    }
  })
  app.decorate('metricsRegistry', registry)
  app.get('/metrics', { logLevel: 'warn', schema: { hide: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()))
}, { name: 'metrics' })

export { prom }

declare module 'fastify' {
  interface FastifyInstance { metricsRegistry: MetricsRegistry }
}
