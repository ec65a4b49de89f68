import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startRedis, until, type TestContext } from '@tidings/testing'
import { EPOCH_KEY, JOB_EVENTS_KEY, LOW_WATER_KEY } from '@tidings/contracts'
import {
  createStreamWriter, DEFAULT_BOUNDS, decode, decodeAll, eventIdOf, consume, formatEventId, isNewer, ZERO,
  type EventId, type ConsumedBatch, type ConsumeOptions, type Gap
} from '../src/index.ts'
import { progressEvent } from './events.ts'

const redis = await startRedis(t, { appendonly: true })
const client = redis.client({ maxRetriesPerRequest: null })
const silent = { warn () {}, error () {} }

t.beforeEach(async () => {
  await client.flushall()
  await createStreamWriter(client).open(minimumId)
})

let minimumId = ZERO

async function publish (n: number, bounds = DEFAULT_BOUNDS, text = '') {
  const stream = createStreamWriter(client, bounds)
  const from = await stream.position('q')
  const events = Array.from({ length: n }, (_, i) => progressEvent(from.read + i, { error: text }))
  const to = { at: `${from.read + n}-0`, read: from.read + n, lost: 0 }
  const outcome = await stream.append({ queue: 'q', from, to, events, minimumId })
  if (!outcome.moved) throw new Error('refused')
  minimumId = outcome.last
  return outcome
}

/** A consumer that records its batches, events and gaps. */
function watch (t: TestContext, options: Partial<ConsumeOptions> = {}) {
  const seen: number[] = []
  const batches: ConsumedBatch[] = []
  const gaps: Gap[] = []
  let position: EventId = ZERO
  const consumer = consume({
    redis: client,
    position: () => position,
    onBatch: batch => {
      batches.push(batch)
      seen.push(...batch.entries.map(entry => decode(entry).timestamp))
      position = batch.to
    },
    onGap: gap => {
      gaps.push(gap)
      position = gap.resumeAt
    },
    log: silent,
    ...options
  })
  t.teardown(() => consumer.stop())
  return { consumer, seen, batches, gaps }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

t.test('consumes from a position, in order, in contiguous batches', async t => {
  const { last } = await publish(3)
  const { seen, batches, consumer } = watch(t, { position: () => last })
  for (let i = 0; i < 20; i++) await publish(7)
  await until(() => seen.length === 140)
  t.same(seen, upTo(143).slice(3))
  batches.forEach((batch, i) => t.same(batch.from, i === 0 ? last : batches[i - 1]?.to))
  t.same(consumer.position, batches.at(-1)?.to)
  t.ok(consumer.lastReplyAt > 0)
})

t.test('a lingering consumer handles a lone event at once, and those that follow closely together', async t => {
  const { seen, batches } = watch(t, { lingerMs: 2000 })
  await publish(1)
  await until(() => seen.length === 1)
  for (let i = 0; i < 3; i++) await publish(1)
  await until(() => seen.length === 4)
  t.same(batches.map(({ entries }) => entries.length), [1, 3])
})

t.test('a consumer that is behind does not linger, and a lingering one stops at once', async t => {
  await publish(30)
  const { seen, consumer } = watch(t, { count: 10, lingerMs: 60_000 })
  await until(() => seen.length === 30)
  await consumer.stop()
  t.same(seen, upTo(30))
})

t.test('batches are bounded in entries and in bytes', async t => {
  for (let i = 0; i < 12; i++) await publish(10, DEFAULT_BOUNDS, 'x'.repeat(i < 6 ? 10 : 10_000))
  const { seen, batches } = watch(t, { count: 25, maxBytes: 50_000 })
  await until(() => seen.length === 120)
  t.same(seen, upTo(120))
  t.ok(batches.every(({ entries }) => entries.length <= 25))
  const bytesOf = ({ entries }: ConsumedBatch) => entries.reduce((sum, { payload }) => sum + payload.length, 0)
  t.ok(batches.every(batch => batch.entries.length === 1 || bytesOf(batch) <= 50_000))
})

t.test('an event larger than a whole batch is a batch of its own', async t => {
  await publish(3, DEFAULT_BOUNDS, 'x'.repeat(60_000))
  const { seen, batches } = watch(t, { maxBytes: 50_000 })
  await until(() => seen.length === 3)
  t.same(batches.map(({ entries }) => entries.length), [1, 1, 1])
})

t.test('a failing handler gets the same events again, from the position that is asked for', async t => {
  await publish(5)
  let failures = 0
  const seen: number[] = []
  let position: EventId = ZERO
  watch(t, {
    position: () => position,
    onBatch: batch => {
      if (failures++ < 2) throw new Error('not now')
      seen.push(...batch.entries.map(entry => decode(entry).timestamp))
      position = batch.to
    }
  })
  await until(() => seen.length === 5)
  t.same(seen, upTo(5))
})

t.test('a handler may return the next position', async t => {
  const { first } = await publish(5)
  const seen: number[][] = []
  let sent = false
  watch(t, {
    position: () => ZERO,
    onBatch: batch => {
      seen.push(batch.entries.map(entry => decode(entry).timestamp))
      if (sent) return
      sent = true
      return first // another replica has come this far
    }
  })
  await until(() => seen.length === 2)
  t.same(seen, [upTo(5), [1, 2, 3, 4]])
})

t.test('a consumer that is behind reads ahead, and drops that read when the handler fails', async t => {
  await publish(20)
  const reads = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
  await client.config('RESETSTAT')
  const handled: number[][] = []
  const working = Promise.withResolvers<void>()
  let position: EventId = ZERO
  watch(t, {
    count: 5,
    position: () => position,
    onBatch: async batch => {
      handled.push(batch.entries.map(entry => decode(entry).timestamp))
      if (handled.length === 1) {
        await working.promise
        throw new Error('not now')
      }
      position = batch.to
    }
  })
  await until(async () => await reads() === 2, { what: 'the read ahead' })
  t.equal(handled.length, 1)
  working.resolve()
  await until(() => handled.flat().length === 25)
  t.same(handled, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14], [15, 16, 17, 18, 19]])
})

t.test('events that are trimmed after they were read ahead are handled all the same, and are not a gap', async t => {
  const { last } = await publish(12)
  await client.config('RESETSTAT')
  const working = Promise.withResolvers<void>()
  const { seen, gaps } = watch(t, {
    count: 5,
    position: () => ZERO,
    onBatch: async batch => {
      if (seen.length === 5) await working.promise
      seen.push(...batch.entries.map(entry => decode(entry).timestamp))
    }
  })
  await until(async () => (await client.info('commandstats')).includes('cmdstat_mget:calls=3'), {
    what: 'the third batch to be read'
  })
  await client.multi().xtrim(JOB_EVENTS_KEY, 'MAXLEN', 0).set(LOW_WATER_KEY, `${last.ms}-${last.seq}`).exec()
  working.resolve()
  await until(() => seen.includes(11))
  t.same(seen, upTo(12))
  t.same(gaps, [])
})

t.test('continues at its position after interrupted connections and a restart of Redis', async t => {
  const { seen } = watch(t)
  const total = 300
  for (let i = 0; i < total; i += 10) {
    await publish(10)
    if (i % 50 === 0) await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    if (i === 150) await redis.restart()
  }
  await until(() => seen.length >= total)
  t.same(seen, upTo(total))
})

t.test('reports a gap where events were trimmed, and continues at the oldest remaining event', async t => {
  const { first: start } = await publish(1)
  const old = await publish(250)
  const held = await publish(200)
  // As retention does a day later.
  await client.xtrim(JOB_EVENTS_KEY, 'MINID', `${held.first.ms}-${held.first.seq}`)
  await client.set(LOW_WATER_KEY, `${old.last.ms}-${old.last.seq}`)
  const { seen, gaps } = watch(t, { position: () => gaps.at(-1)?.resumeAt ?? start })
  await until(() => seen.length === 200)
  t.same(seen, upTo(451).slice(251))
  t.equal(gaps.length, 1)
  t.match(gaps[0], { position: start, reason: 'trimmed' })
})

t.test('reports one gap where the mark is above the oldest remaining event', async t => {
  const { first: start } = await publish(250)
  // By whole nodes: the entries of the node with the cut remain, and the mark is the highest id below the cut.
  const cut = { ms: minimumId.ms, seq: minimumId.seq - 20 }
  await client.xtrim(JOB_EVENTS_KEY, 'MINID', '~', `${cut.ms}-${cut.seq}`)
  await client.set(LOW_WATER_KEY, `${cut.ms}-${cut.seq - 1}`)
  const remaining = await client.xlen(JOB_EVENTS_KEY)
  t.ok(remaining > 21 && remaining < 250, `${remaining} remain`)
  const { seen, gaps } = watch(t, { position: () => gaps.at(-1)?.resumeAt ?? start })
  await until(() => seen.length === remaining)
  t.same(seen, upTo(250).slice(250 - remaining))
  t.equal(gaps.length, 1)
})

t.test('no gap where the consumer had read the trimmed events', async t => {
  const { last } = await publish(5)
  await client.xtrim(JOB_EVENTS_KEY, 'MAXLEN', 0)
  await client.set(LOW_WATER_KEY, `${last.ms}-${last.seq}`)
  await publish(2)
  const { seen, gaps } = watch(t, { position: () => last })
  await until(() => seen.length === 2)
  t.same(gaps, [])
})

t.test('no gap where the mark is above the position but no event after it was trimmed', async t => {
  const { first, last } = await publish(5)
  await client.set(LOW_WATER_KEY, `${last.ms}-${last.seq}`) // trimming by whole nodes removed nothing
  const { seen, gaps } = watch(t, { position: () => first })
  await until(() => seen.length === 4)
  t.same(gaps, [])
})

t.test('a new data set of Redis is a gap, and is consumed from its start', async t => {
  await publish(5)
  const { seen, gaps } = watch(t)
  await until(() => seen.length === 5)
  const before = seen.length
  await client.flushall()
  await publish(3)
  await until(() => seen.length === before + 3)
  t.same(seen.slice(before), [0, 1, 2])
  t.same(gaps.map(({ reason }) => reason), ['epoch'])
})

t.test('a position of a former data set is a gap at the start', async t => {
  const { last } = await publish(5)
  await client.flushall()
  await publish(3)
  const { seen, gaps } = watch(t, { position: () => gaps.at(-1)?.resumeAt ?? last })
  await until(() => seen.length === 3)
  t.equal(gaps.length, 1)
  t.ok(isNewer((gaps[0] as Gap).resumeAt, last))
  t.equal(await client.exists(EPOCH_KEY), 1)
})

t.test('an event of a higher version halts the consumer; events after it are not handled', async t => {
  await publish(2)
  await client.xadd(JOB_EVENTS_KEY, '*', 'u', '7', 'd', JSON.stringify({ ...progressEvent(9), v: 2 }))
  const faults: Error[] = []
  const { consumer, seen } = watch(t, { maxBytes: 1, onHalted: fault => faults.push(fault) })
  await until(() => consumer.halted)
  t.equal(faults.length, 1)
  await publish(1)
  t.same(seen, [0, 1])
  t.match(consumer.halted?.message, /version 2/)
})

t.test('a halted consumer has handled the events before, and continues once the event is removed', async t => {
  await publish(2)
  const newer = await client.xadd(
    JOB_EVENTS_KEY, '*', 'u', '7', 'd', JSON.stringify({ ...progressEvent(9), v: 2 })
  ) as string
  minimumId = eventIdOf(newer)
  await publish(2)
  const faults: Error[] = []
  const { consumer, seen } = watch(t, { onHalted: fault => faults.push(fault) })
  await until(() => consumer.halted)
  t.same(seen, [0, 1], 'events of the same batch')
  t.match(consumer.fault?.message, /version 2/)
  await client.xdel(JOB_EVENTS_KEY, newer)
  await until(() => seen.length === 4)
  t.same(seen, [0, 1, 2, 3])
  await until(() => consumer.halted === undefined)
  t.equal(consumer.fault, undefined)
  t.equal(faults.length, 1, 'one call for one halt')
})

t.test('malformed entries do not stop a consumer, nor does an entry whose id is not an event id', async t => {
  await publish(1)
  const junk = [
    ['x', 'y'], ['u', '7'], ['d', '{}'], ['u', '7', 'd', '{"v":1,"userId":"7"}'],
    ['u', '7', 'd', '{"v":1.5,"userId":"7","jobId":"a","type":"active"}']
  ]
  for (const fields of junk) await client.xadd(JOB_EVENTS_KEY, '*', ...fields)
  const last = (await client.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1))[0]?.[0] as string
  minimumId = eventIdOf(last)
  await publish(1)
  await client.xadd(JOB_EVENTS_KEY, '18446744073709551615-3', 'x', 'y')
  const malformed: Error[] = []
  const seen: number[] = []
  let position: EventId = ZERO
  watch(t, {
    position: () => position,
    onBatch: ({ entries, to }) => {
      seen.push(...decodeAll(entries, err => malformed.push(err)).map(({ timestamp }) => timestamp))
      position = to
    }
  })
  await until(() => seen.length === 2)
  t.equal(malformed.length, junk.length)

  await createStreamWriter(client).open(minimumId)
  await publish(1)
  await until(() => seen.length === 3)
  t.same(seen, [0, 1, 2])
})

t.test('stops at once while it waits for the next event', async t => {
  const { consumer } = watch(t)
  await until(async () => (await client.info('clients')).includes('blocked_clients:1'))
  await consumer.stop()
  await publish(1)
  t.same(consumer.position, ZERO)
})

t.test('stops at once while Redis is away', async t => {
  const own = await startRedis(t)
  let failures = 0
  const consumer = consume({
    redis: own.client(),
    position: () => ZERO,
    onBatch: () => {},
    log: { ...silent, warn () { failures++ } }
  })
  await own.stop()
  await until(() => failures > 0)
  const began = Date.now()
  await consumer.stop()
  t.ok(Date.now() - began < 4000)
})

t.test('a batch that is never handled is given up and read again, and the late call changes nothing', async t => {
  const { last } = await publish(3)
  const calls: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  let position = ZERO
  const { consumer } = watch(t, {
    position: () => position,
    stepTimeoutMs: 20,
    onBatch: async ({ from, to }) => {
      if (calls.push(formatEventId(from)) === 1) await promise
      if (isNewer(to, position)) position = to
    }
  })
  await until(() => formatEventId(consumer.position) === formatEventId(last))
  await until(() => consumer.fault === undefined)
  t.same(calls, ['0-0', '0-0'])
  resolve()
  await publish(1)
  await until(() => isNewer(consumer.position, last))
})

t.test('a handler that is full for longer than a step may take is waited for', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const faults: string[] = []
  const log = { warn () {}, error: (_: object, message: string) => { faults.push(message) } }
  const { consumer, batches } = watch(t, { stepTimeoutMs: 20, whenReady: () => promise, log })
  const { last } = await publish(3)
  await until(() => consumer.lastReplyAt > 0)
  await sleep(200)
  t.same(batches, [])
  resolve()
  await until(() => formatEventId(consumer.position) === formatEventId(last))
  t.same([batches.length, faults], [1, []])
})

t.test('a position and a gap that never come to an end are given up, too', async t => {
  await publish(1)
  let asked = 0
  const { seen } = watch(t, {
    stepTimeoutMs: 20,
    position: async () => ++asked === 1 ? await new Promise<never>(() => {}) : ZERO
  })
  await until(() => seen.length > 0)
  t.equal(asked, 2)
})

t.test('a read that Redis never answers, on a connection that it has accepted, is made by another client', async t => {
  const disconnects: (boolean | undefined)[] = []
  let clients = 0
  /** The first client loses its commands; the others find nothing. */
  const duplicate = () => {
    const isFirst = ++clients === 1
    const reply = async <T>(value: T) => isFirst ? await new Promise<never>(() => {}) : value
    return {
      status: 'ready',
      on () {},
      removeAllListeners () {},
      disconnect: (again?: boolean) => { disconnects.push(again) },
      xread: async () => await new Promise(resolve => setTimeout(resolve, 1)).then(() => reply(null)),
      mget: async () => await reply([null, null])
    }
  }
  const { consumer } = watch(t, { redis: { duplicate } as unknown as ConsumeOptions['redis'], watchdogMs: 5 })
  await until(() => consumer.lastReplyAt > 0)
  t.same(disconnects.slice(0, 3), [true, true, undefined], 'twice the same client connects again')
  t.equal(clients, 2)
})
