import t from 'tap'
import { FlowProducer, Job, UnrecoverableError } from 'bullmq'
import { until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { jobRows, untilStates } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents, type SeenEvent } from '../published-events.ts'

const SLOW = { RECONCILE_SILENT_MS: '3600000' } // only the relay is under test
const types = (events: SeenEvent[]) => events.map(({ type }) => type)

t.test('a retried attempt is delayed, then active again; only the last failure is published', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  worker(t, redis, async () => { throw new Error('no luck') })
  await submit(app, { attempts: 2, backoff: { type: 'fixed', delay: 20 } })
  const [row] = await untilStates(database.sql, ['failed'])
  t.equal(row?.failed_reason, 'no luck')
  t.equal(row?.attempts_made, 2)
  const events = await publishedEvents(app.redis)
  t.same(types(events), ['added', 'waiting', 'active', 'delayed', 'waiting', 'active', 'failed'])
  t.type(events[3]?.dueAt, 'number')
  t.same(events.at(-1)?.error, 'no luck')
})

t.test('a retry reopens a failed job and clears its end', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  const queue = producer(t, redis)
  let runs = 0
  worker(t, redis, async () => {
    if (++runs === 1) throw new UnrecoverableError('first')
    return 'second'
  })
  const id = await submit(app)
  await untilStates(database.sql, ['failed'])
  await (await Job.fromId(queue, id))?.retry()
  const [row] = await untilStates(database.sql, ['completed'])
  t.equal(row?.failed_reason, null)
  t.equal(row?.result, 'second')
  const events = await publishedEvents(app.redis)
  t.same(types(events), ['added', 'waiting', 'active', 'failed', 'waiting', 'active', 'completed'])
  t.same(events.map(({ reopened }) => reopened === true), [false, false, false, false, true, false, false])
})

t.test('progress of a finished job is dropped', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  const queue = producer(t, redis)
  worker(t, redis, async job => {
    await job.updateProgress(1)
    return 'done'
  })
  const id = await submit(app)
  await untilStates(database.sql, ['completed'])
  await (await Job.fromId(queue, id))?.updateProgress(99)
  const marker = await submit(app)
  await untilStates(database.sql, ['completed', 'completed'])
  t.same(types((await publishedEvents(app.redis)).filter(({ jobId }) => jobId === id)), [
    'added', 'waiting', 'active', 'progress', 'completed'
  ])
  t.equal((await jobRows(database.sql))[0]?.progress, 1)
  t.ok(marker)
})

t.test('a delayed, a prioritized and a paused job', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  const queue = producer(t, redis)
  await queue.pause()
  await submit(app, { delay: 60_000 })
  await submit(app, { priority: 5 })
  await submit(app)
  await until(async () => (await publishedEvents(app.redis)).length === 6)
  await untilStates(database.sql, ['delayed', 'waiting', 'waiting'])
  worker(t, redis, async () => 'done')
  await queue.resume()
  await untilStates(database.sql, ['delayed', 'completed', 'completed'])
  await (await queue.getDelayed())[0]?.promote()
  const [delayed] = await untilStates(database.sql, ['completed', 'completed', 'completed'])
  const events = (await publishedEvents(app.redis)).filter(({ jobId }) => jobId === delayed?.id)
  t.same(types(events), ['added', 'delayed', 'waiting', 'active', 'completed'])
})

t.test('a removed open job fails, and says whether its user cancelled it; a finished one does not', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  const queue = producer(t, redis)
  const removed = await submit(app)
  const cancelled = await submit(app, { delay: 60_000 })
  await until(async () => (await publishedEvents(app.redis)).length === 4) // both are in BullMQ by now
  await database.sql`update jobs.jobs set cancel_requested_at = now() where id = ${cancelled}`
  for (const id of [removed, cancelled]) await (await Job.fromId(queue, id))?.remove()
  const rows = await untilStates(database.sql, ['failed', 'failed'])
  t.same(rows.map(({ failed_reason: reason }) => reason), ['Removed from the queue', 'Cancelled by user'])

  worker(t, redis, async () => 'done')
  const finished = await submit(app)
  await untilStates(database.sql, ['failed', 'failed', 'completed'])
  await app.redis.del(`{tidings}:final:default:0-0:${finished}`) // as if the mark had expired
  await (await Job.fromId(queue, finished))?.remove()
  await submit(app)
  await untilStates(database.sql, ['failed', 'failed', 'completed', 'completed'])
  t.equal(
    (await publishedEvents(app.redis)).filter(({ jobId, type }) => jobId === finished && type === 'failed').length, 0
  )
})

t.test('a job that is removed on completion, submitted and adopted', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  const queue = producer(t, redis)
  await queue.add('adopted', { userId: 3 }, { removeOnComplete: true })
  await untilStates(database.sql, ['waiting'])
  worker(t, redis, async () => 'done', { removeOnComplete: { count: 0 } })
  await submit(app)
  const rows = await untilStates(database.sql, ['completed', 'completed'])
  t.same(rows.map(({ result }) => result), ['done', 'done'])
})

t.test('a stalled job is waiting again, then another worker takes it', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  const [stalls, taken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  worker(t, redis, async () => {
    stalls.resolve()
    await taken.promise
    return 'too late'
  }, { lockDuration: 200, stalledInterval: 200, lockRenewTime: 60_000 })
  await submit(app)
  await stalls.promise
  worker(t, redis, async () => {
    taken.resolve()
    return 'taken over'
  })
  const [row] = await untilStates(database.sql, ['completed'])
  t.equal(row?.result, 'taken over')
  t.ok((row?.attempts_made as number) >= 2)
  const events = types(await publishedEvents(app.redis))
  t.same(events.slice(0, 5), ['added', 'waiting', 'active', 'waiting', 'active'])
  t.equal(events.filter(type => type === 'completed').length, 1)
})

t.test('a flow parent waits for its children and completes after them', async t => {
  const { app, redis, database } = await setup(t, SLOW)
  worker(t, redis, async job => job.name)
  const flow = new FlowProducer({ connection: redis.client({ maxRetriesPerRequest: null }) })
  await flow.add({
    name: 'parent',
    queueName: 'default',
    data: { userId: 5 },
    children: [
      { name: 'child', queueName: 'default', data: { userId: 5 } }
    ]
  })
  await untilStates(database.sql, ['completed', 'completed'])
  const events = await publishedEvents(app.redis)
  const parent = events.filter(({ name }) => name === 'parent')
  t.same(types(parent), ['added', 'waiting', 'waiting', 'active', 'completed'])
  t.same(types(events.filter(({ name }) => name === 'child')), ['added', 'waiting', 'active', 'completed'])
})
