import t from 'tap'
import { until } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { producer, worker } from '../bullmq.ts'
import { jobRows, untilStates } from '../job-rows.ts'
import { setup, startApp, startServers } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents } from '../published-events.ts'
import { untilCompared } from '../until-compared.ts'

const PATIENT = { SWEEP_AGE_MS: '200', SWEEP_INTERVAL_MS: '100', RECONCILE_SILENT_MS: '3600000' }

t.test('after Redis lost its last moments jobs are reconciled, and ids keep growing', async t => {
  const { env, redis, database } = await startServers(t, { appendonly: false })
  const app = await startApp(t, { ...env, ...PATIENT })
  const queue = producer(t, redis)
  await queue.waitUntilReady()
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  await app.redis.save() // the next start loads this; everything after it is lost
  await submit(app)
  await queue.add('adopted', { userId: 9 })
  await untilStates(database.sql, ['waiting', 'waiting', 'waiting'])
  const before = (await publishedEvents(app.redis)).at(-1)?.eventId as string
  await redis.kill()
  await redis.restart()
  await untilStates(database.sql, ['waiting', 'waiting', 'failed'])
  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed', 'completed', 'failed'])
  const later = (await publishedEvents(app.redis)).filter(({ type }) => type === 'completed')
  t.equal(later.length, 2)
  t.ok(later.every(({ eventId }) => Number(eventId.split('-')[0]) >= Number(before.split('-')[0])))
  t.same(await compareCounts(app.sql), [])
})

t.test('Postgres restored to an earlier state is projected again from its older position', async t => {
  const { app, redis, env, database } = await setup(t, PATIENT)
  const { sql } = database
  worker(t, redis, async () => 'done')
  await submit(app)
  await untilStates(sql, ['completed'])
  await app.close()
  await sql`create schema backup`
  for (const table of ['jobs', 'positions', 'counts', 'timeline']) {
    await sql.unsafe(`create table backup.${table} as table jobs.${table}`)
  }

  const second = await startApp(t, { ...env, ...PATIENT })
  await submit(second)
  await submit(second, { user: 'ada' })
  await untilStates(sql, ['completed', 'completed', 'completed'])
  await second.close()
  for (const table of ['jobs', 'positions', 'counts', 'timeline']) {
    await sql.unsafe(`truncate jobs.${table}; insert into jobs.${table} overriding system value table backup.${table}`)
  }
  t.equal((await jobRows(sql)).length, 1)

  const third = await startApp(t, { ...env, ...PATIENT })
  const rows = await untilStates(sql, ['completed', 'completed', 'completed'])
  const byUser = rows.toSorted((a, b) => a.user_id.localeCompare(b.user_id))
  t.same(byUser.map(({ user_id: user, ours }) => [user, ours]), [['7', true], ['7', true], ['ada', true]])
  t.same(await compareCounts(third.sql), [])
})

t.test('after events were trimmed unprojected open rows are compared with BullMQ', async t => {
  const { app, redis, env, database } = await setup(t, PATIENT)
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  await until(async () => (await database.sql`select 1 from jobs.jobs where event_ms is not null`).length === 1)
  await database.sql`create table held as table jobs.positions`
  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed'])
  await untilCompared(app.redis)
  await app.close()
  // As if the projector had stopped before the end and the stream had been trimmed meanwhile.
  await database.sql`update jobs.positions set (event_ms, event_seq) = (select event_ms, event_seq from held)`
  await database.sql`update jobs.jobs set state = 0, result = null, finished_ms = null, event_ms = held.event_ms, event_seq = held.event_seq from held`
  await database.sql`update jobs.counts set count = case state when 0 then 1 else 0 end`
  const client = redis.client()
  const last = (await publishedEvents(client)).at(-1)?.eventId as string
  await client.xtrim('{tidings}:job-events', 'MAXLEN', 0)
  await client.set('{tidings}:low-water', last)
  await client.del((await client.keys('{tidings}:final:*'))[0] as string)

  const second = await startApp(t, { ...env, ...PATIENT })
  const [row] = await untilStates(database.sql, ['completed'])
  t.equal(row?.result, 'done')
  await until(async () => (await compareCounts(second.sql)).length === 0)
})
