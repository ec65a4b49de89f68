import Fastify from 'fastify'
import t from 'tap'
import type { RawSql } from '@tidings/service-kit'
import { until } from '@tidings/testing'
import type { DeliveryPipeline } from '../../src/delivery/pipeline.ts'
import type { InsertWrite } from '../../src/delivery/outcomes/outcome-write.ts'
import { createShardConsumer } from '../../src/fan-out/shard-consumer.ts'
import type { FanOutMetrics } from '../../src/fan-out/metrics.ts'

const FROM = { ms: 1, seq: 0 }
const TO = { ms: 2, seq: 0 }
const BEHIND = { ms: 9, seq: 0 }

/** A consumer of a shard without events; records what it writes and how many gaps it records. */
function setup () {
  const written: InsertWrite[] = []
  let gaps = 0
  const pipeline = {
    lease: { workerId: 1, abandon () {} },
    outcomeWriter: { insert: async (write: InsertWrite) => { written.push(write); return true } }
  } as unknown as DeliveryPipeline
  const consumer = createShardConsumer({
    shard: 0,
    isOurs: () => true,
    workerId: 1,
    position: FROM,
    sql: (async () => { gaps++; return [{ id: 1 }] }) as unknown as RawSql,
    pipeline,
    findTargets: async () => new Map(),
    metrics: { written () {}, gap () {}, skipped () {}, fenced () {} } as unknown as FanOutMetrics,
    log: Fastify().log
  })
  return { consumer, written, recordedGaps: () => gaps }
}

t.test('a batch that was given up and wakes up beside its repetition is started once', async t => {
  const { consumer, written } = setup()
  const batch = { from: FROM, to: TO, entries: [] }
  const outcomes = await Promise.all([consumer.onBatch(batch), consumer.onBatch(batch)])
  t.same(outcomes, [undefined, TO])
  await until(() => written.length > 0)
  await consumer.drain(1000)
  t.match(written, [{ from: FROM, to: TO }])
  t.equal(written.length, 1)
})

t.test('a gap that was given up and wakes up beside its repetition is recorded once', async t => {
  const { consumer, recordedGaps } = setup()
  const gap = { position: FROM, resumeAt: BEHIND, reason: 'trimmed' as const }
  await consumer.onGap(gap)
  await consumer.onGap(gap)
  t.equal(recordedGaps(), 1)
  t.same(consumer.position, BEHIND)
})
