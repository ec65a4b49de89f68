import { once } from 'node:events'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { createStreamWriter, decodeAll, endKey, consume, formatEventId } from '@tidings/job-events'
import { JOB_EVENTS_KEY, type PublishedJobEvent } from '@tidings/contracts'
import { tokenOf, until, waitForBlocked, type TestContext, type TestRedis } from '@tidings/testing'
import { readPosition } from '../../src/db/projector-position.ts'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { producer, worker } from '../bullmq.ts'
import { holdProjector } from '../hold-projector.ts'
import { untilStates } from '../job-rows.ts'
import { startApp, startServers } from '../setup.ts'
import { submit } from '../submit.ts'

const SETTINGS = {
  JOB_QUEUES: 'default,other',
  SWEEP_AGE_MS: '200',
  SWEEP_INTERVAL_MS: '100',
  RECONCILE_SILENT_MS: '3600000',
  LEASE_MS: '1000'
}
const WORKER = { lockDuration: 1000, stalledInterval: 300, maxStalledCount: 10 }
const ENDS = new Set(['completed', 'failed'])

type Run = (jobId: string, n: number) => unknown

/**
 * Servers whose Redis can lose its tail, all events of the stream before and after that, and how often each job ran.
 */
async function begin (t: TestContext) {
  const servers = await startServers(t, {
    settings: { 'aof-use-rdb-preamble': 'no', 'auto-aof-rewrite-percentage': '0' }
  })
  const runs = new Map<string, number>()
  const seen = await collectEvents(t, servers.redis)
  // A consumer that has read an end skips its repetition.
  const isRepeated = (event: PublishedJobEvent) => seen.some(other => event.mayRepeat
    ? other !== event && ENDS.has(other.type) && endKey(other) === endKey(event)
    : other.eventId === event.repeats)
  const endsOf = (jobId: string) =>
    seen.filter(event => event.jobId === jobId && ENDS.has(event.type) && !isRepeated(event))
  const work = (run: Run = (_, n) => `run ${n}`, options = {}) => worker(t, servers.redis, async ({ id = '' }) => {
    const n = (runs.get(id) ?? 0) + 1
    runs.set(id, n)
    return await run(id, n)
  }, { ...WORKER, ...options })
  return { ...servers, env: { ...servers.env, ...SETTINGS }, seen, runs, endsOf, work }
}

async function collectEvents (t: TestContext, redis: TestRedis): Promise<PublishedJobEvent[]> {
  const client = redis.client({ maxRetriesPerRequest: null })
  const seen: PublishedJobEvent[] = []
  let position = (await createStreamWriter(client).open()).last
  const tail = consume({
    redis: client,
    position: () => position,
    onBatch: ({ entries, to }) => {
      seen.push(...decodeAll(entries, err => { throw err }))
      position = to
    },
    log: { warn () {}, error () {} }
  })
  t.teardown(() => tail.stop())
  return seen
}

async function job (app: FastifyInstance, jobId: string, after?: string) {
  const answer = await app.inject({
    url: `/jobs/${jobId}${after ? `?after=${after}` : ''}`, headers: { authorization: `Bearer ${tokenOf(7)}` }
  })
  return answer.json<{ state: string, result: unknown, lastEventId: string }>()
}

/** Resolves once all of BullMQ's events were relayed and projected, by a job that is added behind them. */
async function settled (app: FastifyInstance, seen: PublishedJobEvent[]) {
  const jobId = await submit(app, { user: 'last' })
  await until(() => seen.some(event => event.jobId === jobId && ENDS.has(event.type)), { what: 'the last job to end' })
}

const isBelow = (a: string, b: string) => {
  const [[aMs = 0, aSeq = 0], [bMs = 0, bSeq = 0]] = [a.split('-').map(Number), b.split('-').map(Number)]
  return aMs < bMs || (aMs === bMs && aSeq < bSeq)
}

t.test('jobs whose end Redis has lost run again, and their end is published once', async t => {
  const { env, redis, database, seen, runs, endsOf, work } = await begin(t)
  const app = await startApp(t, env)
  const gate = Promise.withResolvers<void>()
  const [waiting, active, later] = [await submit(app), await submit(app), await submit(app)]
  const adopted = await producer(t, redis).add('adopted', { userId: 7 }, { removeOnComplete: true })
  await untilStates(database.sql, ['waiting', 'waiting', 'waiting', 'waiting'])
  const tail = redis.noteTail()

  const first = work(async (id, n) => {
    if (id === later) await gate.promise
    return `run ${n}`
  }, { concurrency: 4 })
  await untilStates(database.sql, ['completed', 'completed', 'active', 'completed'])
  const ended = [waiting, active, adopted.id as string]
  await until(() => ended.every(id => endsOf(id).length === 1))
  await tail.lose()
  gate.resolve()
  await until(() => ended.every(id => runs.get(id) === 2), { what: 'them to run again' })
  await untilStates(database.sql, ['completed', 'completed', 'completed', 'completed'])
  await settled(app, seen)
  await first.close()

  for (const id of [...ended, later]) t.equal(endsOf(id).length, 1, 'published once')
  for (const id of ended) {
    const { state, result, lastEventId } = await job(app, id)
    t.same([state, result], ['completed', 'run 1'])
    for (const { eventId } of seen.filter(({ jobId }) => jobId === id)) t.notOk(isBelow(lastEventId, eventId))
  }
  const ends = await database.sql<{ count: number }[]>`
    select count(*)::int from jobs.timeline join jobs.jobs on n = job where type = 'completed' and user_id = '7' group by job`
  t.same(ends.map(({ count }) => count), [1, 1, 1, 1])
  t.same(await compareCounts(app.sql), [])
})

t.test('an end that Postgres had not taken in yet is published once, and reaches the row', async t => {
  const { env, redis, database, seen, runs, endsOf, work } = await begin(t)
  const app = await startApp(t, env)
  const [jobId, adopted] = [await submit(app), await producer(t, redis).add('adopted', { userId: 7 })]
  await untilStates(database.sql, ['waiting', 'waiting'])
  const tail = redis.noteTail()
  const releaseProjector = await holdProjector(t, database.sql)
  work()
  const ids = [jobId, adopted.id as string]
  await until(() => ids.every(id => endsOf(id).length === 1))
  await tail.lose()
  await until(() => ids.every(id => runs.get(id) === 2), { what: 'them to run again' })
  await releaseProjector()
  await untilStates(database.sql, ['completed', 'completed'])
  await settled(app, seen)

  for (const id of ids) {
    const { state, result, lastEventId } = await job(app, id)
    t.same([state, result], ['completed', 'run 1'])
    t.equal(endsOf(id).length, 1, 'published once')
    for (const { eventId } of seen.filter(event => event.jobId === id)) t.notOk(isBelow(lastEventId, eventId))
  }
  t.same(await compareCounts(app.sql), [])
})

/** The reply to the append that ends a job is lost with the connection; `before` is called before the append. */
function loseReply (app: FastifyInstance, before: () => void): void {
  type Append = (...args: unknown[]) => Promise<unknown>
  const redis = app.redis as typeof app.redis & { tidingsAppend: Append }
  const append = redis.tidingsAppend.bind(redis)
  let isLost = false
  redis.tidingsAppend = async (...args) => {
    if (isLost || !args.includes('final')) return await append(...args)
    isLost = true
    before()
    await append(...args)
    await once(redis, 'close')
    throw new Error('Connection is closed.')
  }
}

for (const isKept of [false, true]) {
  t.test(`an end without a reply to its append, where BullMQ has ${isKept ? 'kept' : 'lost'} it`, async t => {
    const { env, redis, database, seen, runs, endsOf, work } = await begin(t)
    const app = await startApp(t, env)
    const jobId = await submit(app)
    await untilStates(database.sql, ['waiting'])
    let tail = redis.noteTail()
    loseReply(app, () => { if (isKept) tail = redis.noteTail() })
    const releaseProjector = await holdProjector(t, database.sql)
    const gate = Promise.withResolvers<void>()
    work(async (_, n) => {
      await gate.promise
      return `run ${n}`
    })
    await waitForBlocked(database.sql, 1) // the projector, with what comes before the end
    gate.resolve()
    await until(() => endsOf(jobId).length === 1)
    await tail.lose()
    if (!isKept) await until(() => runs.get(jobId) === 2, { what: 'it to run again' })
    await releaseProjector() // a relay that reads the entry again waits for it
    await until(() => seen.some(({ mayRepeat }) => mayRepeat), { what: 'the end to be published again' })
    await untilStates(database.sql, ['completed'])
    await settled(app, seen)

    t.equal(endsOf(jobId).length, 1, 'published once')
    t.equal(runs.get(jobId), isKept ? 1 : 2)
    const { state, result, lastEventId } = await job(app, jobId)
    t.same([state, result], ['completed', 'run 1'])
    for (const { eventId } of seen.filter(event => event.jobId === jobId)) t.notOk(isBelow(lastEventId, eventId))
    t.same(await compareCounts(app.sql), [])
  })
}

t.test('their addition is published again by the restored Redis, and does not reopen them', async t => {
  const { env, redis, database, seen, runs, endsOf, work } = await begin(t)
  const before = await startApp(t, env)
  await before.close()
  const { id = '' } = await producer(t, redis).add('adopted', { userId: 7 })
  const tail = redis.noteTail()
  const app = await startApp(t, env)
  work()
  await untilStates(database.sql, ['completed'])
  await until(() => endsOf(id).length === 1)
  await tail.lose()
  await until(() => runs.get(id) === 2)
  await settled(app, seen)
  t.equal(endsOf(id).length, 1)
  t.equal((await job(app, id)).result, 'run 1')
})

t.test('the same if jobs-api was away meanwhile, and is restarted before they run', async t => {
  const { env, redis, database, seen, runs, endsOf, work } = await begin(t)
  const first = await startApp(t, env)
  const jobId = await submit(first)
  const other = await submit(first, { queue: 'other' })
  await untilStates(database.sql, ['waiting', 'waiting'])
  const tail = redis.noteTail()
  const workers = [work(), work(undefined, { name: 'other' })]
  await untilStates(database.sql, ['completed', 'completed'])
  await until(() => endsOf(jobId).length + endsOf(other).length === 2)
  await Promise.all(workers.map(one => one.close()))
  await first.close()
  await tail.lose()
  for (let starts = 0; starts < 2; starts++) {
    const again = await startApp(t, env)
    await untilStates(database.sql, ['completed', 'completed', ...Array<string>(starts).fill('waiting')])
    await submit(again, { user: 'between' })
    await untilStates(database.sql, ['completed', 'completed', ...Array<string>(starts + 1).fill('waiting')])
    await again.close()
  }
  const app = await startApp(t, env)
  work()
  work(undefined, { name: 'other' })
  await until(() => runs.get(jobId) === 2 && runs.get(other) === 2)
  await settled(app, seen)
  t.same([endsOf(jobId).length, endsOf(other).length], [1, 1])
})

t.test('ends of all queues that only Postgres knows are what the stream continues with', async t => {
  const { env, redis, database, seen, endsOf, work } = await begin(t)
  const first = await startApp(t, env)
  const jobs = [
    await submit(first), await submit(first, { queue: 'other', webhookUrl: 'https://example.com/hook' }),
    (await producer(t, redis).add('adopted', { userId: 7 })).id as string
  ]
  await untilStates(database.sql, ['waiting', 'waiting', 'waiting'])
  const tail = redis.noteTail()
  const workers = [
    work(id => id === jobs[0] ? 'x'.repeat(70_000) : 'short'),
    work(() => { throw new Error('in vain') }, { name: 'other' })
  ]
  await untilStates(database.sql, ['completed', 'failed', 'completed'])
  await until(() => jobs.every(id => seen.some(({ jobId, type }) => jobId === id && ENDS.has(type))))
  await Promise.all(workers.map(one => one.close()))
  await first.close()
  const before = seen.length
  const ends = jobs.map(id => seen.find(({ jobId, type }) => jobId === id && ENDS.has(type)) as PublishedJobEvent)
  const restart = async () => {
    await tail.lose()
    const app = await startApp(t, env) // its relays remember nothing
    await submit(app, { user: 'between' })
    await until(() => seen.slice(before).some(({ userId }) => userId === 'between'))
    return { app, again: seen.splice(before) }
  }
  const crashed = await restart()
  const projected = async () => formatEventId(await readPosition(crashed.app.sql))
  await until(async () => !isBelow(await projected(), crashed.again.at(-1)?.eventId as string))
  await crashed.app.close()
  const { app, again } = await restart() // once more: the rows have got the repetitions
  for (const events of [crashed.again, again]) {
    t.same(new Set(events.slice(0, 3).map(({ repeats }) => repeats)), new Set(ends.map(({ eventId }) => eventId)))
    for (const end of ends) {
      const repeated = events.find(({ repeats }) => repeats === end.eventId) as PublishedJobEvent
      const { eventId, repeats } = repeated
      t.same(repeated, { ...end, eventId, repeats, reconciled: true }, 'as it was published')
      t.ok(isBelow(end.eventId, eventId))
    }
  }
  work()
  work(undefined, { name: 'other' })
  await settled(app, seen)
  for (const id of jobs) t.equal(endsOf(id).length, 1)
  for (const [i, id] of jobs.entries()) t.equal((await job(app, id)).state, ['completed', 'failed', 'completed'][i])
  t.same(await compareCounts(app.sql), [])
})

t.test('a job whose retry Redis has lost fails once more, for those who saw the retry', async t => {
  const { env, redis, database, seen, endsOf, work } = await begin(t)
  const app = await startApp(t, env)
  const jobId = await submit(app)
  const first = work(() => { throw new Error('in vain') })
  await untilStates(database.sql, ['failed'])
  await first.close()
  const tail = redis.noteTail()
  await (await producer(t, redis).getJob(jobId))?.retry()
  await untilStates(database.sql, ['waiting'])
  await until(() => seen.some(({ jobId: id, reopened }) => id === jobId && reopened))
  await tail.lose()
  await untilStates(database.sql, ['failed'])
  await until(() => endsOf(jobId).length === 2)
  t.equal((await job(app, jobId)).lastEventId, endsOf(jobId)[1]?.eventId)
})

t.test('a foreign entry with an unusual id does not count as a loss, and stops nothing', async t => {
  const { env, redis, database, work } = await begin(t)
  const app = await startApp(t, env)
  work()
  await submit(app)
  await untilStates(database.sql, ['completed'])
  await redis.client().xadd(JOB_EVENTS_KEY, '18446744073709551615-3', 'x', 'y')
  await submit(app)
  await untilStates(database.sql, ['completed', 'completed'])
})

t.test('a job that is retried on purpose afterwards is published again', async t => {
  const { env, redis, database, seen, runs, endsOf, work } = await begin(t)
  const app = await startApp(t, env)
  const jobId = await submit(app)
  await untilStates(database.sql, ['waiting'])
  const tail = redis.noteTail()
  work((_, n) => {
    if (n < 3) throw new Error(`run ${n}`)
    return `run ${n}`
  })
  await untilStates(database.sql, ['failed'])
  await until(() => endsOf(jobId).length === 1)
  await tail.lose()
  const queue = producer(t, redis)
  await until(async () => runs.get(jobId) === 2 && await queue.getJobState(jobId) === 'failed')
  await (await queue.getJob(jobId))?.retry()
  await untilStates(database.sql, ['completed'])
  await settled(app, seen)
  t.same(endsOf(jobId).map(({ type }) => type), ['failed', 'completed'])
  t.equal((await job(app, jobId)).result, 'run 3')
})
