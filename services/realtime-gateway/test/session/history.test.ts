import t from 'tap'
import { createStreamWriter, START, ZERO, type Entry } from '@tidings/job-events'
import { userHistoryKey, type JobEvent } from '@tidings/contracts'
import { startRedis } from '@tidings/testing'
import { createHistory } from '../../src/session/history.ts'

/** More than a page. */
const EVENTS = 250
const USER = '7'

const redis = await startRedis(t)
const client = redis.client()
const stream = createStreamWriter(client)
const history = createHistory({ redis: client, ttlMs: 60_000 })

t.beforeEach(async () => { await client.flushall() })

/** A stream with events of the user, and an id before the first and after the last of them. */
async function publish () {
  const { epoch: since } = await stream.open()
  const event: JobEvent = { v: 1, type: 'active', queue: 'q', jobId: 'a', name: 'j', userId: USER, timestamp: 0 }
  const to = { ...START, at: '1-0', read: EVENTS }
  const events = Array.from({ length: EVENTS }, () => event)
  const outcome = await stream.append({ queue: 'q', from: START, to, events, minimumId: ZERO })
  if (!outcome.moved) throw new Error('refused')
  // Events of others follow.
  return { userId: USER, since, until: { ms: outcome.last.ms, seq: outcome.last.seq + 1 } }
}

/** Replays until the end, and runs `between` once, after the first page. */
async function replay (range: Awaited<ReturnType<typeof publish>>, between = async () => {}) {
  const pages: Entry[][] = []
  const complete = await history.replay(range, async page => {
    pages.push(page)
    if (pages.length === 1) await between()
    return true
  })
  return { complete, events: pages.flat().length }
}

t.test('all events of a range are read, page by page', async t => {
  t.same(await replay(await publish()), { complete: true, events: EVENTS })
})

t.test('a history that disappears between two pages does not count as complete', async t => {
  const range = await publish()
  const { complete, events } = await replay(range, async () => {
    await client.flushall()
    await stream.open(range.until)
  })
  t.equal(complete, false)
  t.ok(events < EVENTS)
})

t.test('a history that is trimmed between two pages does not count as complete', async t => {
  const { complete } = await replay(await publish(), async () => {
    await client.xtrim(userHistoryKey(USER), 'MAXLEN', 10)
  })
  t.equal(complete, false)
})
