import type { FastifyBaseLogger } from 'fastify'
import t from 'tap'
import { ZERO, START, type StreamWriter } from '@tidings/job-events'
import { until } from '@tidings/testing'
import type { BackgroundMetrics } from '../../src/metrics.ts'
import { RecentEnds } from '../../src/relay/lost-ends/recent-ends.ts'
import { createRelay } from '../../src/relay/relay-loop.ts'
import type { BullmqEventReader } from '../../src/relay/source/bullmq-event-reader.ts'

const never = () => new Promise<never>(() => {})

t.test('a step that never ends, of which something was lost, is tried again', async t => {
  const [closed, prepared, asked] = [[] as number[], [] as number[], [] as number[]]
  const relay = createRelay({
    queue: 'default',
    openReader: () => ({ read: never, close: () => { closed.push(1) } }) as unknown as BullmqEventReader,
    stream: { position: () => asked.push(1) === 1 ? never() : Promise.resolve(START) } as unknown as StreamWriter,
    toJobEvents: async () => [],
    minimumId: () => ZERO,
    prepare: () => prepared.push(1) === 1 ? never() : Promise.resolve(),
    onAdvance: async () => {},
    recentEnds: new RecentEnds(),
    stepTimeoutMs: 20,
    metrics: {} as BackgroundMetrics,
    log: { warn: () => {}, debug: () => {} } as unknown as FastifyBaseLogger
  })
  const stopping = new AbortController()
  const running = relay.run(stopping.signal)
  await until(() => prepared.length === 2)
  t.equal(relay.fault?.name, 'StepTimeout')
  t.equal(closed.length, 1, 'with another reader')
  stopping.abort()
  await Promise.race([running, until(() => closed.length === 2)])
})
