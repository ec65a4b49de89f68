import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import type { Redis } from 'ioredis'
import t from 'tap'
import { createLoops, type RawSql } from '@tidings/service-kit'
import type { DeliveryPipeline } from '../../src/delivery/pipeline.ts'
import type { FanOutMetrics } from '../../src/fan-out/metrics.ts'
import { createShardAssignment } from '../../src/fan-out/shard-assignment.ts'

const { log } = Fastify()
log.warn = () => {}

t.test('a look for shards that never ends is given up after a minute, and shards are looked for again', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const calls: string[] = []
  const never = async () => await new Promise<never>(() => {})
  const sql = Object.assign(async () => calls.push('acquire') === 3 ? await never() : [], {
    begin: async () => calls.push('prepare') === 1 ? await never() : undefined
  }) as unknown as RawSql
  const assignment = createShardAssignment({
    sql,
    redis: {} as Redis,
    shards: 1,
    pipeline: { lease: { workerId: 1 } } as DeliveryPipeline,
    findTargets: async () => new Map(),
    metrics: {} as FanOutMetrics,
    loops: createLoops({ log }),
    log
  })
  const pass = async (ms: number) => {
    mock.timers.tick(ms)
    for (let i = 0; i < 20; i++) await turn()
  }
  await assignment.start()
  t.same(calls, ['prepare'])
  await pass(60_000)
  await pass(500)
  t.same(calls, ['prepare', 'prepare', 'acquire'])
  await pass(60_000)
  await pass(500)
  t.same(calls, ['prepare', 'prepare', 'acquire', 'acquire'])
  await assignment.stop()
})
