import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Job } from 'bullmq'
import { until } from '@tidings/testing'
import { producer, worker } from '../../bullmq.ts'
import { jobRows, untilStates } from '../../job-rows.ts'
import { setup, startApp, startServers } from '../../setup.ts'
import { submit } from '../../submit.ts'
import { publishedEvents, historyOf } from '../../published-events.ts'

t.test('one counter id in two queues and again after obliterate: three users, nothing leaks', async t => {
  const { app, redis, database } = await setup(t, { JOB_QUEUES: 'one,two' })
  const [one, two] = [producer(t, redis, 'one'), producer(t, redis, 'two')]
  await one.add('a', { userId: 'ann' })
  await two.add('b', { userId: 'bob' })
  await until(async () => (await jobRows(database.sql)).length === 2)
  await one.obliterate({ force: true })
  await one.add('c', { userId: 'cid' })
  worker(t, redis, async job => `of ${job.data.userId}`, { name: 'one' })
  worker(t, redis, async job => `of ${job.data.userId}`, { name: 'two' })
  await until(async () => (await jobRows(database.sql)).filter(({ state }) => state === 'completed').length === 2)

  const rows = await jobRows(database.sql)
  t.same(new Set(rows.map(({ id }) => id)), new Set(['1']))
  for (const [user, name] of [['ann', 'a'], ['bob', 'b'], ['cid', 'c']] as const) {
    const events = await historyOf(app.redis, user)
    t.ok(
      events.length > 0 && events.every(event => event.name === name && event.userId === user),
      `${user} gets events of ${name} only`
    )
    t.ok(events.every(({ result }) => result === undefined || result === `of ${user}`))
  }
})

t.test('an id that is reused within one batch belongs to its current owner', async t => {
  const { redis, env, database } = await startServers(t)
  const queue = producer(t, redis)
  await queue.add('old', { userId: 'ann' }, { jobId: 'same' })
  await queue.remove('same')
  await queue.add('new', { userId: 'bob' }, { jobId: 'same' })
  const app = await startApp(t, env)
  await untilStates(database.sql, ['waiting'])
  t.equal(
    (await historyOf(app.redis, 'ann')).length, 0, 'the owner of a hash that was gone before the first read is unknown'
  )
  t.same(
    (await historyOf(app.redis, 'bob')).map(({ type, name }) => [type, name]), [['added', 'new'], ['waiting', 'new']]
  )
})

t.test('updateData does not change the owner, not even after the relay restarted', async t => {
  const { redis, env, database } = await startServers(t)
  const first = await startApp(t, env)
  const queue = producer(t, redis)
  const ours = await submit(first, { user: 'ann' })
  const { id: adopted = '' } = await queue.add('adopted', { userId: 'ann' })
  await untilStates(database.sql, ['waiting', 'waiting'])
  for (const id of [ours, adopted]) await (await Job.fromId(queue, id))?.updateData({ userId: 'eve' })
  await first.close()

  const second = await startApp(t, env)
  worker(t, redis, async () => 'secret')
  await untilStates(database.sql, ['completed', 'completed'])
  t.equal((await historyOf(second.redis, 'eve')).length, 0)
  t.equal((await historyOf(second.redis, 'ann')).filter(({ type }) => type === 'completed').length, 2)
})

t.test('a job whose start was trimmed is adopted at its first event', async t => {
  const { redis, env, database } = await startServers(t)
  const queue = producer(t, redis)
  await queue.add('early', { userId: 4 }, { attempts: 2 })
  await queue.trimEvents(0)
  const app = await startApp(t, env)
  worker(t, redis, async () => 'done')
  const [row] = await untilStates(database.sql, ['completed'])
  t.same([row?.user_id, row?.name, row?.attempts_made], ['4', 'early', 1])
  t.same((await historyOf(app.redis, '4')).map(({ type }) => type), ['active', 'completed'])
})

t.test('while Postgres is away nothing is published, afterwards everything is', async t => {
  const { app, redis, database } = await setup(t)
  const queue = producer(t, redis)
  await database.sql`alter table jobs.jobs rename to jobs_away`
  await queue.add('patient', { userId: 6 })
  await until(async () => await app.redis.xlen('bull:default:events') === 2)
  t.match(
    await app.metricsRegistry.metrics(), /tidings_relay_backlog_entries\{queue="default"\} 2/,
    'and the backlog is counted'
  )
  await queue.remove('1') // so that its hash is gone
  await queue.add('patient', { userId: 6 })
  t.equal((await publishedEvents(app.redis)).length, 0)
  await database.sql`alter table jobs.jobs_away rename to jobs`
  await untilStates(database.sql, ['waiting'])
  t.same((await historyOf(app.redis, '6')).map(({ type, jobId }) => [type, jobId]), [['added', '2'], ['waiting', '2']])
})

t.test('a name that is too long is published in part', async t => {
  const { app, redis, database } = await setup(t)
  const name = randomBytes(4000).toString('hex')
  await producer(t, redis).add(name, { userId: 5 })
  const [row] = await untilStates(database.sql, ['waiting'])
  t.equal(row?.name, name.slice(0, 128))
  t.ok((await historyOf(app.redis, '5')).every(event => event.name === row?.name))
})

t.test('with a cache of few jobs each event is still published to its owner', async t => {
  const { app, redis, database } = await setup(t, { OWNER_CACHE: '1' })
  const queue = producer(t, redis)
  for (const user of ['ann', 'bob']) await queue.add(`of ${user}`, { userId: user })
  await submit(app, { user: 'cid', name: 'of cid' })
  worker(t, redis, async job => {
    for (let i = 1; i <= 5; i++) await job.updateProgress(i)
  }, { concurrency: 3 })
  await untilStates(database.sql, ['completed', 'completed', 'completed'])
  for (const user of ['ann', 'bob', 'cid']) {
    const events = await historyOf(app.redis, user)
    t.same(
      events.map(({ name, type, progress }) => [name, progress ?? type]),
      ['added', 'waiting', 'active', 1, 2, 3, 4, 5, 'completed'].map(what => [`of ${user}`, what])
    )
  }
})

t.test('jobs without an owner are counted, not published', async t => {
  const { app, redis } = await setup(t)
  const queue = producer(t, redis)
  for (const data of [{}, { userId: null }, { userId: '' }, { userId: { id: 1 } }, [], 'text', 7]) {
    await queue.add('nobody', data)
  }
  await until(async () => /unowned_events_total\{queue="default"\} 14/.test(await app.metricsRegistry.metrics()))
  t.equal((await publishedEvents(app.redis)).length, 0)
})

t.test('the job\'s own webhookUrl travels in its completed event, over a restart too', async t => {
  const { redis, env, database } = await startServers(t)
  const first = await startApp(t, env)
  await submit(first, { webhookUrl: 'https://example.com/hook' })
  await untilStates(database.sql, ['waiting'])
  await first.close()
  const second = await startApp(t, env)
  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed'])
  t.same((await publishedEvents(second.redis)).map(({ webhookUrl }) => webhookUrl), [
    undefined, undefined, undefined, 'https://example.com/hook'
  ])
})

t.test('a job whose data names a user beyond 2^53 is not adopted, and counted; large data is searched', async t => {
  const { app, redis, database } = await setup(t)
  const queue = producer(t, redis)
  const job = await queue.add('refused', { userId: 1 }, { delay: 60_000, jobId: 'refused' })
  await until(async () => (await jobRows(database.sql)).length === 1)
  await queue.remove(job.id as string)
  await app.redis.hset('bull:default:raw', {
    timestamp: Date.now(), name: 'raw', opts: '{}', data: '{"userId":9007199254740993}'
  })
  await app.redis.xadd('bull:default:events', '*', 'event', 'added', 'jobId', 'raw', 'name', 'raw')
  const large = JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) }).replace('}', ',"userId":9007199254740993}')
  await app.redis.hset('bull:default:raw-large', { timestamp: Date.now(), name: 'raw', opts: '{}', data: large })
  await app.redis.xadd('bull:default:events', '*', 'event', 'added', 'jobId', 'raw-large', 'name', 'raw')
  await queue.add('large', { text: 'x'.repeat(2 * 1024 * 1024), userId: 'large' })
  await until(async () => (await historyOf(app.redis, 'large')).length > 0)
  t.same((await publishedEvents(app.redis)).filter(({ jobId }) => jobId.startsWith('raw')), [])
  t.match(await app.metricsRegistry.metrics(), /tidings_relay_invalid_owners_total\{queue="default"\} 2/)
})
