import t from 'tap'
import { startRedis, until } from '@tidings/testing'
import {
  jsonText, JOB_EVENTS_KEY, LOW_WATER_KEY, finalityKey, relayPositionKey, userHistoryKey, type JobEvent
} from '@tidings/contracts'
import {
  createStreamWriter, decode, DEFAULT_BOUNDS, encode, entryOf, eventIdOf, formatEventId, isNewer, START, ZERO,
  type AppendOutcome, type Batch, type Entry, type EventId, type StreamWriter, type RelayPosition
} from '../src/index.ts'
import { progressEvent } from './events.ts'

const redis = await startRedis(t, { appendonly: true })

t.beforeEach(async t => {
  const client = redis.client()
  await client.flushall()
  t.context = { client, stream: createStreamWriter(client) }
})

const after = ({ at, read, lost }: RelayPosition, n: number): RelayPosition =>
  ({ at: `${Number(at.split('-')[0]) + n}-0`, read: read + n, lost })

/** Appends events of queue `q` at its current position. */
async function publish (stream: StreamWriter, events: JobEvent[], minimumId = ZERO) {
  const from = await stream.position('q')
  return moved(await stream.append({ queue: 'q', from, to: after(from, events.length || 1), events, minimumId }))
}

function moved (outcome: AppendOutcome) {
  if (!outcome.moved) throw new Error('the batch was refused')
  return outcome
}

t.test('a batch is appended to the stream and, under the same ids, to the histories of its owners', async t => {
  const { client, stream } = t.context
  const events = [progressEvent(1), progressEvent(2, { userId: 'b', jobId: 'x' }), progressEvent(3)]
  const { appended, first, last } = await publish(stream, events)

  t.equal(appended, 3)
  const entries = await client.xrange(JOB_EVENTS_KEY, '-', '+')
  t.same(entries.map(([, fields]: [string, string[]]) => fields), events.map(event =>
    ['u', event.userId, 'd', encode(event)]))
  t.same([entries[0][0], entries[2][0]], [formatEventId(first), formatEventId(last)])
  const own = await client.xrange(userHistoryKey('7'), '-', '+')
  t.same(own.map(([id]: [string]) => id), [entries[0][0], entries[2][0]])
  t.same(await stream.position('q'), { at: '3-0', read: 3, lost: 0 })
  const ttl = await client.pttl(userHistoryKey('b'))
  t.ok(ttl > 0 && ttl <= DEFAULT_BOUNDS.historyTtlMs)
})

t.test('a batch whose position has moved is refused as a whole', async t => {
  const { client, stream } = t.context
  await publish(stream, [progressEvent(1)])
  const again = { queue: 'q', from: START, to: after(START, 1), events: [progressEvent(1)], minimumId: ZERO }
  t.same(await stream.append(again), { moved: false, position: { at: '1-0', read: 1, lost: 0 } })
  const otherCount = { ...again, from: { at: '1-0', read: 0, lost: 0 } }
  t.equal((await stream.append(otherCount)).moved, false, 'the count is part of the comparison')
  t.equal(await client.xlen(JOB_EVENTS_KEY), 1)
})

t.test('two racing writers with interrupted connections publish each event once, in order', async t => {
  const { client } = t.context
  const total = 1000
  const source = Array.from({ length: total }, (_, n) =>
    progressEvent(n, { userId: String(n % 3), jobId: `job${n % 7}` }))

  const race = async () => {
    const connection = redis.client({ maxRetriesPerRequest: null })
    const stream = createStreamWriter(connection)
    let from = START
    let refused = 0
    while (from.read < total) {
      const events = source.slice(from.read, from.read + 1 + Math.floor(Math.random() * 20))
      const to = after(from, events.length)
      const outcome = await stream.append({ queue: 'q', from, to, events, minimumId: ZERO })
      if (!outcome.moved) refused++
      from = outcome.moved ? to : outcome.position
    }
    return refused
  }
  let cuts = 0
  let cutAt = -1
  // Only after new events: on a slow machine neither writer might get anything done in between.
  const cut = async () => {
    const length = await client.xlen(JOB_EVENTS_KEY)
    if (length === cutAt) return
    cutAt = length
    cuts += await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') as number
  }
  const cutting = setInterval(() => { cut().catch(() => {}) }, 10)
  const refused = await Promise.all([race(), race()])
  clearInterval(cutting)

  const entries: [string, string[]][] = await client.xrange(JOB_EVENTS_KEY, '-', '+')
  t.same(entries.map(([, fields]) => JSON.parse(fields[3] as string).progress), source.map((_, n) => n))
  for (const user of ['0', '1', '2']) {
    const history: [string, string[]][] = await client.xrange(userHistoryKey(user), '-', '+')
    t.same(history.map(([id]) => id), entries.filter(([, fields]) => fields[1] === user).map(([id]) => id))
  }
  t.ok(cuts > 0 && refused[0] + refused[1] > 0, `the writers did race: ${cuts} cuts, ${refused.join(' + ')} refusals`)
})

t.test('ids continue above the minimum id, even after the clock went back', async t => {
  const { client, stream } = t.context
  const ahead = { ms: Date.now() + 3_600_000, seq: 41 }
  t.same((await stream.open(ahead)).last, { ms: ahead.ms, seq: 42 })
  t.same((await publish(stream, [progressEvent(1), progressEvent(2)])).first, { ms: ahead.ms, seq: 43 })

  await client.flushall()
  const { first } = await publish(stream, [progressEvent(1)], { ms: ahead.ms, seq: 99 })
  t.same(first, { ms: ahead.ms, seq: 101 }, 'after a flush the minimum id alone decides')
  const raised = await stream.open({ ms: ahead.ms + 5, seq: 3 })
  t.same(raised.last, { ms: ahead.ms + 5, seq: 3 }, 'a minimum id above an existing stream raises its last id')
})

t.test('a data set has an epoch, which stays until Redis loses everything', async t => {
  const { client, stream } = t.context
  t.equal(await stream.last(), undefined)
  const { epoch, last } = await stream.open()
  t.same(epoch, last)
  t.same((await stream.open()).epoch, epoch)
  const { first } = await publish(stream, [progressEvent(1)])
  t.ok(isNewer(first, epoch))

  await client.flushall()
  const opened = await stream.open(first)
  t.ok(isNewer(opened.epoch, first), 'every id of the former data set is below the new epoch')
  t.same(await stream.last(), opened.last)
})

t.test('an append creates the stream too, above the minimum id and with an epoch', async t => {
  const { stream } = t.context
  const { first } = await publish(stream, [progressEvent(1)])
  const { epoch } = await stream.open()
  t.ok(isNewer(first, epoch))
})

t.test('a finished job is final: late progress and a second end are dropped until it is opened again', async t => {
  const { client, stream } = t.context
  const end = progressEvent(2, { type: 'completed', result: jsonText(1) })
  const kept = await publish(stream, [progressEvent(1), end, progressEvent(3)])
  t.same([kept.appended, kept.dropped], [2, 1], 'within a batch')
  const late = await publish(
    stream, [progressEvent(4), { ...end, type: 'failed' }, progressEvent(5, { jobId: 'other' })]
  )
  t.same([late.appended, late.dropped], [1, 2], 'across batches')
  t.ok(await client.pttl(finalityKey('q', 'job')) > 0)

  const reopened = await publish(stream, [progressEvent(6, { type: 'waiting', reopened: true }), progressEvent(7), end])
  t.same([reopened.appended, reopened.dropped], [3, 0], 'a retry opens it')
  const again = await publish(stream, [progressEvent(8, { type: 'added' }), progressEvent(9)])
  t.equal(again.appended, 2, 'so does a new job of the same id')
  t.equal(await client.exists(finalityKey('q', 'job')), 0)
})

t.test('lost ends are marked before the stream continues: only younger entries open the jobs again', async t => {
  const { client, stream } = t.context
  const { last } = await stream.open()
  const ended = { queue: 'q', jobId: 'job', id: { ms: last.ms + 50, seq: 2 }, at: 20 }
  t.equal(
    await stream.markEnds({ ms: last.ms, seq: last.seq + 1 }, [ended]), false, 'refused where the stream has continued'
  )
  t.equal(await client.exists(finalityKey('q', 'job')), 0)
  t.equal(await stream.markEnds(last, [ended, { ...ended, jobId: 'b', generation: '5-0' }]), true)
  await stream.open(ended.id)
  const entry = (timestamp: number, fields: Partial<JobEvent> = {}) =>
    ({ ...progressEvent(timestamp, fields), timestamp })
  const lost = [
    entry(5, { type: 'added' }), entry(6), entry(20, { type: 'waiting', reopened: true }),
    entry(30, { type: 'completed' })
  ]
  t.match(await publish(stream, [...lost, entry(31, { type: 'failed', jobId: 'b', generation: '5-0' })]), {
    appended: 0, dropped: 5
  })
  t.ok(
    await client.pttl(finalityKey('q', 'job')) > DEFAULT_BOUNDS.finalityTtlMs, 'the mark keeps its longer time to live'
  )
  const retried = [entry(40, { type: 'waiting', reopened: true }), entry(41, { type: 'completed' })]
  t.match(await publish(stream, [...retried, entry(42)]), { appended: 2, dropped: 1 })
  t.match(await publish(stream, [entry(7, { type: 'added' })]), { appended: 1 }, 'now the mark is an ordinary one')
})

t.test('nothing is appended to a stream that is behind Postgres until it is opened', async t => {
  const { client, stream } = t.context
  const { last } = await publish(stream, [progressEvent(1)])
  const minimumId = { ms: last.ms + 60_000, seq: 0 }
  await t.rejects(publish(stream, [progressEvent(2)], minimumId), { message: 'the batch was refused' })
  t.equal(await client.xlen(JOB_EVENTS_KEY), 1)
  await stream.open(minimumId)
  t.ok(isNewer((await publish(stream, [progressEvent(2)], minimumId)).first, minimumId))
})

t.test('a stream that is behind Postgres continues with ends that Redis has lost, and with nothing else', async t => {
  const { client, stream } = t.context
  const { last } = await publish(stream, [progressEvent(1)])
  const minimumId = { ms: last.ms + 60_000, seq: 5 }
  const firstId = { ms: last.ms + 30_000, seq: 0 }
  const end = (jobId: string, queue = 'q') =>
    ({ ...progressEvent(2, { jobId, type: 'completed', result: jsonText(1), reconciled: true }), queue })
  const append = async (events: JobEvent[], at?: number) => {
    const from = await stream.position('q')
    const repeated = () => ({ id: firstId, ...(at !== undefined && { at }) })
    return await stream.append({ queue: 'q', from, to: from, events, repeated, minimumId })
  }
  t.match(await append([end('a'), progressEvent(3)], 20), { moved: false }, 'with another event')
  t.match(await append([end('a')]), { moved: false }, 'an end that was trimmed')
  t.match(await append([]), { moved: false })
  t.equal(await client.xlen(JOB_EVENTS_KEY), 1)
  t.match(await append([end('a'), end('b', 'other')], 20), {
    moved: true, appended: 2, first: { ms: minimumId.ms, seq: 6 }, last: { ms: minimumId.ms, seq: 7 }
  }, 'above what Postgres has seen')
  t.equal(await client.get(finalityKey('other', 'b')), `${formatEventId(firstId)} 20`)
  t.match(await publish(stream, [progressEvent(4)], minimumId), { appended: 1 })
})

t.test('an empty batch returns the last id given out', async t => {
  const { client, stream } = t.context
  const { last } = await publish(stream, [progressEvent(1)])
  await until(async () =>
    Number((await client.time())[0]) * 1000 + Number((await client.time())[1]) / 1000 > last.ms + 2)
  t.same((await publish(stream, [])).last, last)
})

t.test('a conclusion is always published, and names the id under which the same end was published before', async t => {
  const { client, stream } = t.context
  const end = progressEvent(1, { type: 'completed' })
  const id = formatEventId((await publish(stream, [end])).first)
  const conclude = async () => await publish(stream, [{ ...end, reconciled: true }, progressEvent(2)])
  t.match(await conclude(), { appended: 1, dropped: 1 })
  t.equal(await client.get(finalityKey('q', 'job')), id, 'the mark still holds the first id')
  await conclude()
  for (const key of [JOB_EVENTS_KEY, userHistoryKey('7')]) {
    const entries = (await client.xrange(key, '-', '+') as [string, string[]][]).map(entry => entryOf(entry, '7'))
    t.same(entries.map(entry => decode(entry).repeats), [undefined, id, id])
  }

  await client.set(finalityKey('q', 'job'), '1') // as former releases left it
  await conclude()
  t.equal((await client.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1))[0]?.[1].length, 4)
})

t.test('a conclusion without a mark names the id that its caller knows', async t => {
  const { client, stream } = t.context
  const from = await stream.position('q')
  const event = progressEvent(1, { type: 'failed', reconciled: true })
  await stream.append(
    { queue: 'q', from, to: from, events: [event], repeated: () => ({ id: { ms: 5, seq: 1 } }), minimumId: ZERO }
  )
  t.equal((await client.xrange(JOB_EVENTS_KEY, '-', '+'))[0]?.[1].at(-1), '5-1')
  t.equal(await client.get(finalityKey('q', 'job')), '5-1')
})

t.test('a conclusion does not name an earlier end of the job, after which it was opened', async t => {
  const { client, stream } = t.context
  const end = progressEvent(1, { type: 'completed' })
  const { first } = await publish(stream, [end])
  const conclude = async (repeated: Batch['repeated'], event = end) => {
    const from = await stream.position('q')
    const events = [{ ...event, reconciled: true as const }]
    await stream.append({ queue: 'q', from, to: from, events, repeated, minimumId: ZERO })
    const [entry] = await client.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1) as [string, string[]][]
    const { eventId, repeats, mayRepeat } = decode(entryOf(entry as [string, string[]]))
    return { id: eventIdOf(eventId), repeats, mayRepeat }
  }
  const before = { ms: first.ms - 1, seq: 0 }
  t.match(await conclude(() => ({ seen: before })), { repeats: formatEventId(first) }, 'one that the row has not seen')
  const { id, repeats } = await conclude(() => ({ seen: first }))
  t.equal(repeats, undefined, 'the row has seen it')
  t.equal(await client.get(finalityKey('q', 'job')), formatEventId(id))

  // Redis has lost the opening, and a later end.
  const later = { ms: first.ms + 5, seq: 0 }
  t.match(await conclude(() => ({ id: later, at: 20 })), { repeats: formatEventId(later) })
  t.match(await conclude(() => ({ id: '?', at: 20 })), { repeats: formatEventId(later) }, 'the same time')
  t.match(await conclude(() => ({ id: '?', at: 30 })), { repeats: undefined, mayRepeat: true })
})

t.test('an end that may have been published before says so, and its mark has its own id', async t => {
  const { client, stream } = t.context
  const end = (jobId: string, more = {}) => progressEvent(1, { jobId, type: 'completed', ...more })
  const append = async (minimumId: EventId, ...events: JobEvent[]) => {
    const from = await stream.position('q')
    const repeated = ({ reconciled, timestamp: at }: JobEvent) => ({ id: '?', ...(reconciled && { at }) }) as const
    return moved(await stream.append({ queue: 'q', from, to: from, events, repeated, minimumId }))
  }
  const { last: known } = await publish(stream, [end('known')])
  const { timestamp: at } = end('known')
  await stream.markEnds(known, [{ queue: 'q', jobId: 'known', id: known, at }])
  const lost = ['a', 'b', 'known'].map(jobId => end(jobId, { reconciled: true }))
  await append({ ms: known.ms + 60_000, seq: 0 }, ...lost)
  await append(ZERO, end('c'), progressEvent(2, { jobId: 'c' }), progressEvent(2, { jobId: 'd' }), end('b'))
  const entries = (await client.xrange(JOB_EVENTS_KEY, '-', '+') as [string, string[]][]).map(entry => entryOf(entry))
  t.same(entries.map(entry => decode(entry)).map(({ jobId, repeats, mayRepeat }) => [jobId, repeats, mayRepeat]), [
    ['known', undefined, undefined],
    ['a', undefined, true],
    ['b', undefined, true],
    ['known', formatEventId(known), undefined], // the mark has its id
    ['c', undefined, true],
    ['d', undefined, undefined]
  ])
  const idOf = (n: number) => formatEventId((entries[n] as Entry).id)
  t.equal(await client.get(finalityKey('q', 'a')), `${idOf(1)} ${lost[0]?.timestamp}`)
  t.equal(await client.get(finalityKey('q', 'c')), idOf(4))
})

t.test('it knows which events Redis has lost, and which were trimmed', async t => {
  const { client, stream } = t.context
  const ids: EventId[] = []
  for (let n = 0; n < 3; n++) ids.push((await publish(stream, [progressEvent(n)])).first)
  const lost = async () => await Promise.all(ids.map(async id => await stream.hasLost(id)))
  t.same(await lost(), [false, false, false])
  for (const id of ids) await client.xdel(JOB_EVENTS_KEY, formatEventId(id))
  t.same(await lost(), [true, true, true])
  await client.set(LOW_WATER_KEY, formatEventId(ids[1] as EventId))
  t.same(await lost(), [false, false, true])
})

t.test('a conclusion that opens a job clears its mark', async t => {
  const { client, stream } = t.context
  await publish(stream, [progressEvent(1, { type: 'completed' })])
  t.match(await publish(stream, [progressEvent(2, { type: 'active', reconciled: true }), progressEvent(3)]), {
    appended: 2
  })
  t.equal(await client.exists(finalityKey('q', 'job')), 0)
})

t.test('jobs of the same id but different generations are final independently', async t => {
  const { stream } = t.context
  const end = progressEvent(1, { type: 'completed', generation: '5-0' })
  await publish(stream, [end])
  const { appended, dropped } = await publish(
    stream, [{ ...end, generation: '4-0' }, progressEvent(2, { generation: '5-0' })]
  )
  t.same([appended, dropped], [1, 1])
})

t.test('an empty batch still moves the position', async t => {
  const { client, stream } = t.context
  const { appended } = await publish(stream, [])
  t.equal(appended, 0)
  t.same(await stream.position('q'), { at: '1-0', read: 1, lost: 0 })
  t.equal(await client.xlen(JOB_EVENTS_KEY), 0)
})

t.test('a faulty history is created again and counted; the stream is not affected', async t => {
  const { client, stream } = t.context
  await client.set(userHistoryKey('7'), 'not a stream')
  await client.xadd(userHistoryKey('b'), `${Date.now() + 1e9}-0`, 'd', '{}')
  const { appended, repaired } = await publish(stream, [
    progressEvent(1), progressEvent(2, { userId: 'b' }), progressEvent(3), progressEvent(4, { userId: 'b' })
  ])
  t.same([appended, repaired], [4, 2])
  t.equal(await client.xlen(userHistoryKey('7')), 2)
  t.equal(await client.xlen(userHistoryKey('b')), 2)
})

t.test('a stream key of another kind is refused before anything is written', async t => {
  const { client, stream } = t.context
  await client.set(JOB_EVENTS_KEY, 'not a stream')
  await t.rejects(publish(stream, [progressEvent(1)]), /WRONGTYPE/)
  t.equal(await client.exists(relayPositionKey('q')), 0)
  t.equal(await client.exists(userHistoryKey('7')), 0)
})

t.test('events older than the retention are trimmed, and the low-water mark records how far', async t => {
  const { client } = t.context
  const stream = createStreamWriter(client, { ...DEFAULT_BOUNDS, retentionMs: 1000 })
  const old = Date.now() - 60_000
  for (let seq = 1; seq <= 300; seq++) {
    await client.xadd(JOB_EVENTS_KEY, `${old}-${seq}`, 'u', '7', 'd', JSON.stringify(progressEvent(seq)))
  }
  await publish(stream, [progressEvent(1)])

  const length = await client.xlen(JOB_EVENTS_KEY)
  t.ok(length < 200, `Redis trims whole nodes: ${length} of 301 remain`)
  t.same(eventIdOf(await client.get(LOW_WATER_KEY) as string), { ms: old, seq: 300 })
})

t.test('a stream that is too large loses its oldest events', async t => {
  const { client } = t.context
  const maxBytes = 200_000
  const stream = createStreamWriter(client, { ...DEFAULT_BOUNDS, maxBytes })
  const start = Date.now() - 100_000
  for (let n = 0; n < 1000; n++) {
    await client.xadd(JOB_EVENTS_KEY, `${start + n * 10}-0`, 'u', '7', 'd', 'x'.repeat(1000))
  }

  t.ok(await stream.trimToSize() > 0)
  t.ok(Number(await client.memory('USAGE', JOB_EVENTS_KEY)) <= maxBytes)
  t.ok(await client.xlen(JOB_EVENTS_KEY) > 50, 'no more than necessary')
  t.ok(await client.get(LOW_WATER_KEY))
  t.equal(await stream.trimToSize(), 0)
})

t.test('also a stream whose events are nearly all of one burst after a quiet day', async t => {
  const { client } = t.context
  const maxBytes = 200_000
  const stream = createStreamWriter(client, { ...DEFAULT_BOUNDS, maxBytes })
  const now = Date.now()
  for (const hours of [20, 12, 5]) {
    await client.xadd(JOB_EVENTS_KEY, `${now - hours * 3_600_000}-0`, 'u', '7', 'd', 'quiet')
  }
  for (let n = 0; n < 1000; n++) {
    await client.xadd(JOB_EVENTS_KEY, `${now - 1000 + n}-0`, 'u', '7', 'd', 'x'.repeat(1000))
  }

  await stream.trimToSize()
  t.ok(Number(await client.memory('USAGE', JOB_EVENTS_KEY)) <= maxBytes)
  t.ok(await client.xlen(JOB_EVENTS_KEY) > 50)
  const [oldest] = await client.xrange(JOB_EVENTS_KEY, '-', '+', 'COUNT', 1)
  const mark = eventIdOf(await client.get(LOW_WATER_KEY) as string)
  t.ok(eventIdOf((oldest as [string, string[]])[0]).ms > mark.ms, 'the mark is below the remaining events')
})
