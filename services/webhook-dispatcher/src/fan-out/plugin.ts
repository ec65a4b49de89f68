import fp from 'fastify-plugin'
import { createStreamReader } from '@tidings/job-events'
import { createIngest } from './shard-assignment.ts'
import { createTargetsOf } from './job-webhooks.ts'
import { lagSeconds } from './lag.ts'
import { createIngestMetrics } from './metrics.ts'
import { watchShards } from './watch-shards.ts'

/** Follows the stream of job events into deliveries, in the shards that this replica holds. */
export const ingest = fp(async function ingest (app) {
  const metrics = createIngestMetrics(app.metricsRegistry)
  const engine = createIngest({
    sql: app.sql,
    redis: app.redis,
    shards: app.config.INGEST_SHARDS,
    delivery: app.delivery,
    targetsOf: createTargetsOf(app.sql, app.secretBox),
    metrics,
    log: app.log
  })
  const stream = createStreamReader(app.redis)
  metrics.watch(() => engine.activeShards, async () => await lagSeconds(stream, app.sql))
  app.addHook('onReady', engine.start)
  app.addHook('onClose', engine.stop)
  const standstill = watchShards({
    shards: () => engine.shards,
    reason: () => engine.fault?.message,
    patienceMs: app.config.STANDSTILL_MS,
    sql: app.sql,
    redis: app.redis,
    log: app.log
  })
  app.addReadinessCheck('ingest standstill', 'required', standstill.fault)
  app.addHook('onClose', async () => standstill.stop())
  app.addReadinessCheck('ingest', 'required', () => engine.halted?.message)
}, { name: 'ingest', dependencies: ['delivery', 'redis', 'health'] })
