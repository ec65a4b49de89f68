import prom from '@platformatic/prom-client'
import fp from 'fastify-plugin'

export type MetricsRegistry = InstanceType<typeof prom.Registry>

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Polled by machines, every few seconds. */
const UNCOUNTED = ['/metrics', '/livez', '/readyz']
/** Requests without a route share one label: clients choose paths, so their number is unbounded. */
const NO_ROUTE = 'none'

/**
 * `/metrics` for Prometheus and `app.metricsRegistry`, in which a service creates its own metrics
 * (`new prom.Counter({ …, registers: [app.metricsRegistry] })`). Each app has its own registry, so that two apps in one
 * process do not mix.
 */
export const metrics = fp(async function metrics (app) {
  const registry = new prom.Registry()
  prom.collectDefaultMetrics({ register: registry })
  const duration = new prom.Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the head of a request to the end of its response',
    labelNames: ['method', 'route', 'status_code'],
    buckets: SECONDS,
    registers: [registry]
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions: { url: route = NO_ROUTE } } = request
    if (!UNCOUNTED.includes(route)) {
      duration.observe({ method, route, status_code: reply.statusCode }, reply.elapsedTime / 1000)
    }
    done()
  })
  app.decorate('metricsRegistry', registry)
  app.get('/metrics', { logLevel: 'warn', schema: { hide: true } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()))
}, { name: 'metrics' })

export { prom }

declare module 'fastify' {
  interface FastifyInstance { metricsRegistry: MetricsRegistry }
}
