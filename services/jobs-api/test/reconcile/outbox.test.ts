import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { setup, startApp } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents } from '../published-events.ts'

const QUICK = { SWEEP_AGE_MS: '100', SWEEP_INTERVAL_MS: '50', RECONCILE_SILENT_MS: '3600000' }

t.test('a job submitted while Redis is away runs once it is back', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  await redis.stop()
  await submit(app, { data: { a: 1 } })
  const before = Date.now()
  await submit(app, { delay: 60_000 })
  t.ok(Date.now() - before < 5000)
  await untilStates(database.sql, ['waiting', 'delayed'])
  await redis.restart()
  worker(t, redis, async job => job.data)
  const [row] = await untilStates(database.sql, ['completed', 'delayed'])
  t.same(row?.result, { a: 1, userId: 7 })
  const queue = producer(t, redis)
  await until(async () => await queue.getDelayedCount() === 1)
})

t.test('after a crash between queue.add and its first event the job runs once', async t => {
  const { app, redis, env, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  await app.close() // without a relay nothing proves that the job was enqueued
  const id = '0190a000-0000-7000-8000-000000000001'
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options)
    values ('default', ${id}, '7', 'work', ${Date.now() - 60_000}, true, '{"userId": 7}', '{"removeOnComplete": true}')`
  await database.sql`insert into jobs.counts values ('7', 0, 1)`
  await queue.add('work', { userId: 7 }, { jobId: id, removeOnComplete: true })
  let runs = 0
  worker(t, redis, async () => ++runs)
  await until(async () => runs === 1 && await queue.getActiveCount() === 0)
  const again = await startApp(t, { ...env, ...QUICK })
  await untilStates(database.sql, ['completed'])
  await submit(again)
  await untilStates(database.sql, ['completed', 'completed'])
  t.equal(runs, 2)
  t.equal((await publishedEvents(again.redis)).filter(({ type }) => type === 'added').length, 2)
})

t.test('a job that never reached Redis is added once by two replicas', async t => {
  const { app, redis, env, database } = await setup(t, QUICK)
  await startApp(t, { ...env, ...QUICK })
  let runs = 0
  worker(t, redis, async () => ++runs)
  // Before the rows, which may be counted out as soon as they are there.
  await database.sql`insert into jobs.counts values ('7', 0, 20)`
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options)
    select 'default', gen_random_uuid(), '7', 'work', ${Date.now() - 60_000}, true, '{"userId": 7}', '{}' from generate_series(1, 20)`
  await untilStates(database.sql, Array.from({ length: 20 }, () => 'completed'))
  t.equal(runs, 20)
  t.match(await app.metricsRegistry.metrics(), /tidings_outbox_added_jobs_total/)
})

t.test('a job that is cancelled before Redis accepted it never runs', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  worker(t, redis, async () => { t.fail('it ran') })
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options, cancel_requested_at)
    values ('default', 'cancelled', '7', 'work', ${Date.now() - 60_000}, true, '{"userId": 7}', '{}', now())`
  const [row] = await untilStates(database.sql, ['failed'])
  t.equal(row?.failed_reason, 'Cancelled by user')
  t.same((await publishedEvents(app.redis)).map(({ type }) => type), ['failed'])
})

t.test('a job that is cancelled while the outbox adds it is removed again', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  // As if the cancel request were written after the outbox read it, before it marked the job as enqueued.
  await database.sql.unsafe(`create function jobs.request_cancel() returns trigger language plpgsql as $$
    begin new.cancel_requested_at = coalesce(new.cancel_requested_at, now()); return new; end $$;
    create trigger request_cancel before update of enqueued_at on jobs.jobs for each row execute function jobs.request_cancel()`)
  // Before the rows, which may be counted out as soon as they are there.
  await database.sql`insert into jobs.counts values ('7', 0, 1)`
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options)
    values ('default', 'late', '7', 'work', ${Date.now() - 60_000}, true, '{"userId": 7}', '{}')`
  const [row] = await untilStates(database.sql, ['failed'])
  t.equal(row?.failed_reason, 'Cancelled by user')
  t.same((await publishedEvents(app.redis)).map(({ type }) => type), ['added', 'waiting', 'failed'])
  t.equal(await producer(t, redis).getWaitingCount(), 0)
})

t.test('a job that a late command adds after it was cancelled is removed again', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  const id = await submit(app, { delay: 60_000 })
  await until(async () => (await publishedEvents(app.redis)).length === 2)
  const { statusCode } = await app.inject({
    method: 'POST', url: `/jobs/${id}/cancel`, headers: { authorization: `Bearer ${tokenOf(7)}` }
  })
  t.equal(statusCode, 202)
  const [row] = await untilStates(database.sql, ['failed'])
  await queue.add('work', { userId: 7 }, { jobId: id, timestamp: Number(row?.created_ms) })
  const types = async () => (await publishedEvents(app.redis)).map(({ type }) => type).join(' ')
  await until(async () => await types() === 'added delayed failed added waiting failed', { what: 'the second failure' })
  t.match(await untilStates(database.sql, ['failed']), [{ failed_reason: 'Cancelled by user' }])
  t.equal(await queue.getJobCountByTypes('waiting', 'delayed', 'active'), 0)
})

t.test('a cancel request that could not be carried out is carried out later', async t => {
  const { database, redis } = await setup(t, { ...QUICK, RECONCILE_SILENT_MS: '100', RECONCILE_INTERVAL_MS: '100' })
  const queue = producer(t, redis)
  await queue.add('work', { userId: 7 })
  await untilStates(database.sql, ['waiting'])
  // As if Redis had been away for the rest of the command.
  await database.sql`update jobs.jobs set cancel_requested_at = now()`
  const [row] = await untilStates(database.sql, ['failed'])
  t.equal(row?.failed_reason, 'Cancelled by user')
  t.equal(await queue.getWaitingCount(), 0)
})

t.test('after an outage all pending jobs are added in one sweep, not one page at a time', async t => {
  const { app, redis, env, database } = await setup(t, QUICK)
  await app.close()
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, ours, data, options)
    select 'default', gen_random_uuid(), '7', 'work', ${Date.now() - 60_000}, true, '{"userId": 7}', '{}' from generate_series(1, 900)`
  await database.sql`insert into jobs.counts values ('7', 0, 900)`
  await startApp(t, { ...env, SWEEP_INTERVAL_MS: '20000' }) // with one page of 200 per run it would take 80 seconds
  const queue = producer(t, redis)
  await until(async () => await queue.getWaitingCount() === 900, { timeoutMs: 70_000 })
  await until(async () => (await database.sql`select 1 from jobs.jobs where enqueued_at is null`).length === 0)
})
