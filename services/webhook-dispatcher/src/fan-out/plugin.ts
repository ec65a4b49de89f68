import fp from 'fastify-plugin'
import { createStreamReader } from '@tidings/job-events'
import { createShardAssignment } from './shard-assignment.ts'
import { createFindTargets } from './job-webhooks.ts'
import { lagSeconds } from './shards.ts'
import { createFanOutMetrics } from './metrics.ts'
import { watchShards } from './watch-shards.ts'

/** Follows the stream of job events into deliveries, in the shards that this replica holds. */
export const fanOut = fp(async function ingest (app) {
  const metrics = createFanOutMetrics(app.metricsRegistry)
  const engine = createShardAssignment({
    sql: app.sql,
    redis: app.redis,
    shards: app.config.INGEST_SHARDS,
    pipeline: app.delivery,
    findTargets: createFindTargets(app.sql, app.secretBox),
    metrics,
    log: app.log
  })
  const stream = createStreamReader(app.redis)
  metrics.watch(() => engine.activeShards, async () => await lagSeconds(stream, app.sql))
  app.addHook('onReady', engine.start)
  app.addHook('onClose', engine.stop)
  const stallWatch = watchShards({
    shards: () => engine.shards,
    reason: () => engine.fault?.message,
    timeoutMs: app.config.STALL_TIMEOUT_MS,
    sql: app.sql,
    redis: app.redis,
    log: app.log
  })
  app.addReadinessCheck('ingest standstill', 'required', stallWatch.fault)
  app.addHook('onClose', async () => stallWatch.stop())
  app.addReadinessCheck('ingest', 'required', () => engine.halted?.message)
}, { name: 'ingest', dependencies: ['delivery', 'redis', 'health'] })
