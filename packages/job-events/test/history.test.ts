import t from 'tap'
import { startRedis } from '@tidings/testing'
import { userHistoryKey } from '@tidings/contracts'
import {
  createStreamWriter, DEFAULT_BOUNDS, historyCovers, readHistory, START, ZERO, type Entry
} from '../src/index.ts'
import { progressEvent } from './events.ts'

const redis = await startRedis(t)
const client = redis.client()
const stream = createStreamWriter(client)

t.beforeEach(async () => {
  await client.flushall()
  await stream.open()
})

async function publish (n: number, userId = '7', bounds = DEFAULT_BOUNDS) {
  const writer = createStreamWriter(client, bounds)
  const from = await writer.position('q')
  const to = { at: `${from.read + n}-0`, read: from.read + n, lost: 0 }
  const events = Array.from({ length: n }, (_, i) => progressEvent(from.read + i, { userId }))
  const outcome = await writer.append({ queue: 'q', from: from.read ? from : START, to, events, minimumId: ZERO })
  if (!outcome.moved) throw new Error('refused')
  return outcome
}

async function readAll (since: { ms: number, seq: number }): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const page of readHistory(client, '7', since)) entries.push(...page)
  return entries
}

t.test('reads a user\'s own events after an id, page by page, in order', async t => {
  await publish(3)
  const { last } = await publish(2)
  await publish(5, 'other')
  await publish(450)
  const entries = await readAll(last)
  t.equal(entries.length, 450)
  t.same(entries.map(({ payload }) => JSON.parse(payload).progress), Array.from({ length: 450 }, (_, i) => 10 + i))
  t.ok(entries.every(({ owner }) => owner === '7'))
})

t.test('a user without events is covered from any position of this data set', async t => {
  const { epoch } = await stream.open()
  t.same(await historyCovers(client, '7', epoch), { covers: true, last: epoch })
  const { last } = await publish(2, 'other')
  t.same(await historyCovers(client, '7', last), { covers: true, last })
  t.same(await readAll(last), [])
})

t.test('an id of a former data set or of the future is not covered', async t => {
  const { epoch } = await stream.open()
  const { last } = await publish(2)
  t.equal((await historyCovers(client, '7', { ms: epoch.ms - 1, seq: 0 })).covers, false)
  t.equal((await historyCovers(client, '7', { ms: last.ms, seq: last.seq + 1 })).covers, false)
  t.equal((await historyCovers(client, '7', last)).covers, true)
  await client.flushall()
  t.equal((await historyCovers(client, '7', last)).covers, false)
})

t.test('trimmed events of a history are not covered, the remaining ones are', async t => {
  const { epoch } = await stream.open()
  const bounds = { ...DEFAULT_BOUNDS, historyLength: 100 }
  const { last } = await publish(1000, '7', bounds)
  const [first] = await readAll(epoch)
  t.ok((first as Entry).id.seq > 100, 'something was trimmed')
  t.equal((await historyCovers(client, '7', epoch)).covers, false)
  t.equal((await historyCovers(client, '7', (first as Entry).id)).covers, true)
  t.equal((await historyCovers(client, '7', last)).covers, true)
})

t.test('a history that was created again does not cover the events it lost', async t => {
  const { last } = await publish(5)
  await client.set(userHistoryKey('7'), 'not a stream')
  t.equal((await historyCovers(client, '7', last)).covers, false)
  const again = await publish(1)
  t.equal(again.repaired, 1)
  t.equal((await historyCovers(client, '7', last)).covers, false)
  t.equal((await historyCovers(client, '7', again.last)).covers, true)
})

t.test('an id older than the time to live is covered only by a history that reaches back to it', async t => {
  const { first, last } = await publish(2)
  const ttlMs = -1 // every id is older than that
  t.equal((await historyCovers(client, '7', last, ttlMs)).covers, true, 'the event is still in the history')
  t.equal((await historyCovers(client, '7', first, ttlMs)).covers, true)
  await client.del(userHistoryKey('7'))
  t.equal((await historyCovers(client, '7', last, ttlMs)).covers, false, 'an expired history may have had more events')
  t.equal(
    (await historyCovers(client, '7', last)).covers, true, 'younger than the time to live: nothing can have expired'
  )
})
