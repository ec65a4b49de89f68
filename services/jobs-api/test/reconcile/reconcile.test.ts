import t from 'tap'
import { until } from '@tidings/testing'
import { readRelayState } from '../../src/relay/relay-state.ts'
import { producer, worker } from '../bullmq.ts'
import { jobRows, untilStates } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents } from '../published-events.ts'

const QUICK = {
  SWEEP_AGE_MS: '200', SWEEP_INTERVAL_MS: '100', RECONCILE_SILENT_MS: '300', RECONCILE_INTERVAL_MS: '100'
}
const PATIENT = { ...QUICK, RECONCILE_SILENT_MS: '3600000' } // so that only the trigger under test can reconcile

t.test('drained: a submitted job that had not started is added again, an adopted one has failed', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  await submit(app)
  await queue.add('foreign', { userId: 8 })
  await until(async () => (await publishedEvents(app.redis)).length === 4)
  await queue.drain()
  const rows = await untilStates(database.sql, ['waiting', 'failed'])
  t.equal(rows[1]?.failed_reason, 'Removed from the queue')
  await until(async () => await queue.getWaitingCount() === 1)
  worker(t, redis, async () => 'ran')
  await untilStates(database.sql, ['completed', 'failed'])
  const events = await publishedEvents(app.redis)
  t.equal(events.filter(({ reconciled }) => reconciled).length, 1)
})

t.test('cleaned: BullMQ names no job, yet each is found at once', async t => {
  const { app, redis, database } = await setup(t, PATIENT)
  const queue = producer(t, redis)
  await queue.add('foreign', { userId: 8 })
  await queue.add('foreign', { userId: 8 })
  await until(async () => (await jobRows(database.sql)).length === 2)
  await queue.clean(0, 1, 'wait')
  await until(
    async () => (await jobRows(database.sql)).filter(
      ({ state, failed_reason: reason }) => state === 'failed' && reason === 'Removed from the queue'
    ).length === 1
  )
  t.equal((await publishedEvents(app.redis)).length, 5)
})

t.test('obliterated: open jobs end, later jobs are published', async t => {
  const { app, redis, database } = await setup(t, PATIENT)
  const queue = producer(t, redis)
  await queue.add('before', { userId: 8 })
  await untilStates(database.sql, ['waiting'])
  await queue.obliterate({ force: true })
  await untilStates(database.sql, ['failed'])
  await queue.add('after', { userId: 9 })
  const rows = await untilStates(database.sql, ['failed', 'waiting'])
  t.same(rows.map(({ id, user_id: user }) => [id, user]), [['1', '8'], ['1', '9']], 'one counter id, two jobs')
  const nine = (await publishedEvents(app.redis)).filter(({ userId }) => userId === '9')
  t.same(nine.map(({ type, name }) => [type, name]), [['added', 'after'], ['waiting', 'after']])
})

t.test('flushed: submitted jobs run, those that had started fail, ids keep growing', async t => {
  const { app, redis, database } = await setup(t, PATIENT)
  const first = worker(t, redis, () => new Promise(() => {}))
  await submit(app, { name: 'started' })
  await untilStates(database.sql, ['active'])
  await first.close(true)
  await submit(app, { name: 'waits' })
  await untilStates(database.sql, ['active', 'waiting'])
  const before = (await publishedEvents(app.redis)).at(-1)?.eventId as string
  await app.redis.flushall()
  const [started] = await untilStates(database.sql, ['failed', 'waiting'])
  t.equal(started?.failed_reason, 'Lost by the queue')
  worker(t, redis, async () => 'ran')
  await untilStates(database.sql, ['failed', 'completed'])
  const ids = (await publishedEvents(app.redis)).map(({ eventId }) => Number(eventId.replace('-', '.')))
  t.ok(ids.every(id => id > Number(before.replace('-', '.'))), 'above all earlier ids')
})

t.test('flushed, with LOST_JOBS=rerun: a job that had started runs again', async t => {
  const { app, redis, database } = await setup(t, { ...PATIENT, LOST_JOBS: 'rerun' })
  const first = worker(t, redis, () => new Promise(() => {}))
  await submit(app)
  await untilStates(database.sql, ['active'])
  await first.close(true)
  await app.redis.flushall()
  worker(t, redis, async () => 'ran again')
  const [row] = await untilStates(database.sql, ['completed'])
  t.equal(row?.result, 'ran again')
})

t.test('an adopted job whose start was never projected is not taken for another job, or for missing', async t => {
  const { redis, database } = await setup(t, QUICK)
  const job = await producer(t, redis).add('foreign', { userId: 8 }, {
    delay: 3_600_000, attempts: 3, timestamp: Date.now() - 5000
  })
  await untilStates(database.sql, ['delayed'])
  await database.sql`truncate jobs.jobs, jobs.counts` // as if the stream had been trimmed before it was projected
  await job.updateProgress(1)
  const [row] = await untilStates(database.sql, ['delayed']) // the state in BullMQ
  t.match(row, { created_ms: String(job.timestamp), attempts_max: 3, progress: 1 })
})

t.test('a silent job among thousands of others is found by the next run', async t => {
  const { app, database } = await setup(t, { ...PATIENT, RECONCILE_INTERVAL_MS: '4000', RECONCILE_SILENT_MS: '60000' })
  // The first start compares all open rows once; this test is about later runs.
  await until(async () => {
    const { requested, reconciled } = await readRelayState(app.redis, 'default')
    return requested > 0 && requested === reconciled
  })
  // Before the rows, which may be counted out as soon as they are there.
  await database.sql`insert into jobs.counts values ('7', 0, 2401)`
  const [long, now] = [Date.now() - 3_600_000, Date.now() + 3_600_000]
  await database.sql`
    insert into jobs.jobs (queue, id, user_id, name, created_ms, looked_ms, enqueued_at, generation_ms, event_ms, event_seq)
    select 'default', 'busy' || i, '7', 'work', ${long}::bigint, i, now(), 1, ${now}::bigint, i from generate_series(1, 2400) i
    union all select 'default', 'silent', '7', 'work', ${long}::bigint, 5000, now(), 1, ${long}::bigint, 0`
  const [row] = await until(async () => {
    const failed = await database.sql`select id, failed_reason from jobs.jobs where state = 4`
    return failed.length > 0 && failed
  }, { timeoutMs: 45_000 }) // with one page of 200 per run it would take 48 seconds
  t.match(row, { id: 'silent', failed_reason: 'Removed from the queue' })
})
