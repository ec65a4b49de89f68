import fp from 'fastify-plugin'
import { createSql } from '@tidings/service-kit'
import { durationMs } from '../duration.ts'
import { createDeliveryPipeline, type DeliveryPipeline } from './pipeline.ts'
import { createDeliveryMetrics } from './metrics.ts'
import { recoveryPolicy } from './outcomes/recovery-policy.ts'

/** The first pause of an open circuit, and how long an endpoint must fail before it opens: three deadlines. */
const BREAKER_DEADLINES = 3
const BREAKER_MAX_MS = 10 * 60_000
/** Pause between attempts to connect, for the connection whose lock shows the others that this worker is alive. */
const RECONNECT_S = 0.1

/** Decorates `app.delivery`: claims and sends due deliveries. */
export const delivery = fp(async function delivery (app) {
  const { config } = app
  const metrics = createDeliveryMetrics(app.metricsRegistry)
  const pipeline = createDeliveryPipeline({
    sql: app.sql,
    openConnection: onLost => createSql(config.DATABASE_URL, {
      max: 1, idle_timeout: 0, max_lifetime: 0, backoff: () => RECONNECT_S, onclose: onLost
    }),
    attempt: app.attempt,
    openSecret: app.secretBox.open,
    policy: {
      scheduleMs: config.WEBHOOK_RETRY_SCHEDULE.split(',').map(durationMs),
      retryAfterMaxMs: durationMs(config.WEBHOOK_RETRY_AFTER_MAX),
      breakerMs: BREAKER_DEADLINES * config.WEBHOOK_TIMEOUT_MS,
      breakerMaxMs: BREAKER_MAX_MS,
      disableAfterMs: durationMs(config.WEBHOOK_DISABLE_AFTER),
      probeAfterMs: recoveryPolicy(config)?.pauseMs
    },
    limits: {
      total: config.WEBHOOK_MAX_IN_FLIGHT,
      perOrigin: config.WEBHOOK_MAX_PER_ORIGIN,
      perEndpoint: config.WEBHOOK_MAX_PER_ENDPOINT
    },
    timeoutMs: config.WEBHOOK_TIMEOUT_MS,
    progressLagMs: durationMs(config.WEBHOOK_PROGRESS_LAG),
    leaseMs: durationMs(config.WEBHOOK_LEASE),
    metrics,
    loops: app.loops,
    log: app.log
  })
  metrics.watch(() => pipeline.endpoints.all(), app.sql)
  app.decorate('delivery', pipeline)
  app.addHook('onReady', pipeline.start)
  app.addHook('onClose', pipeline.stop)
}, { name: 'delivery', dependencies: ['postgres', 'metrics', 'egress', 'loops'] })

declare module 'fastify' {
  interface FastifyInstance { delivery: DeliveryPipeline }
}
