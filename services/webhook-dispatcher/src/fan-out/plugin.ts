import fp from 'fastify-plugin'
import { createStreamReader } from '@tidings/job-events'
import { createShardAssignment } from './shard-assignment.ts'
import { createFindTargets } from './job-webhooks.ts'
import { lagSeconds } from './shards.ts'
import { createFanOutMetrics } from './metrics.ts'
import { watchShards } from './watch-shards.ts'

/** Turns the stream of job events into deliveries, in the shards that this replica holds. */
export const fanOut = fp(async function fanOut (app) {
  const metrics = createFanOutMetrics(app.metricsRegistry)
  const assignment = createShardAssignment({
    sql: app.sql,
    redis: app.redis,
    shards: app.config.INGEST_SHARDS,
    pipeline: app.delivery,
    findTargets: createFindTargets(app.sql, app.secretBox),
    metrics,
    loops: app.loops,
    log: app.log
  })
  const stream = createStreamReader(app.redis)
  metrics.watch(() => assignment.activeShards, async () => await lagSeconds(stream, app.sql))
  app.addHook('onReady', assignment.start)
  app.addHook('onClose', assignment.stop)
  const stallWatch = watchShards({
    shards: () => assignment.shards,
    reason: () => assignment.fault?.message,
    timeoutMs: app.config.STALL_TIMEOUT_MS,
    sql: app.sql,
    redis: app.redis,
    log: app.log
  })
  app.addReadinessCheck('fan-out stall', 'required', stallWatch.fault)
  app.addHook('onClose', async () => stallWatch.stop())
  app.addReadinessCheck('fan-out', 'required', () => assignment.halted?.message)
}, { name: 'fan-out', dependencies: ['delivery', 'redis', 'health', 'loops'] })
