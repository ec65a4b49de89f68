import t from 'tap'
import { JOB_EVENTS_KEY } from '@tidings/contracts'
import { until } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { worker } from '../bullmq.ts'
import { holdProjector } from '../hold-projector.ts'
import { jobRows } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'
import { historyOf } from '../published-events.ts'

const JOBS = 60

t.test('jobs whose end was trimmed before it was projected end in REST, and on the channels once', async t => {
  const { app, redis, database } = await setup(t, {
    STREAM_MAX_BYTES: '100000', RELAY_TRIM_MS: '100', RECONCILE_SILENT_MS: '500', RECONCILE_INTERVAL_MS: '200'
  })
  const ids: string[] = []
  for (let i = 0; i < JOBS; i++) ids.push(await submit(app))
  await until(async () => (await jobRows(database.sql)).length === JOBS)
  const releaseProjector = await holdProjector(t, database.sql)
  worker(t, redis, async () => 'x'.repeat(5000), { concurrency: 10 })
  await until(async () => (await historyOf(app.redis, '7')).filter(({ type }) => type === 'completed').length === JOBS)
  // The stream is trimmed at the start of a millisecond, and on a busy machine all ends may be of one: later events
  // follow.
  await until(async () => {
    await submit(app, { user: 'other' })
    return Number(await app.redis.memory('USAGE', JOB_EVENTS_KEY)) <= 100_000
  }, { what: 'the stream to be trimmed', intervalMs: 200 })
  await releaseProjector()

  const rows = await until(async () => {
    const all = await jobRows(database.sql)
    return all.every(({ state }) => state === 'completed') && all
  })
  t.ok(rows.every(({ result, finished_ms: at }) => (result as string).length === 5000 && at !== null))
  const ends = (await historyOf(app.redis, '7')).filter(({ type }) => type === 'completed')
  const first = new Map(ends.filter(({ repeats }) => !repeats).map(({ jobId, eventId }) => [jobId, eventId]))
  t.same(
    ends.filter(({ repeats }) => !repeats).map(({ jobId }) => jobId).toSorted(), ids.toSorted(), 'each published once'
  )
  t.ok(ends.length > JOBS, `${ends.length - JOBS} were concluded`)
  t.ok(
    ends.every(({ jobId, repeats }) => repeats === undefined || repeats === first.get(jobId)),
    'and a client that received an end can see that it is the same'
  )
  await until(async () => (await compareCounts(app.sql)).length === 0)
})

t.test('so they do after the mark of their end has expired', async t => {
  const { app, redis, database } = await setup(t, {
    FINALITY_TTL_MS: '1', RECONCILE_SILENT_MS: '500', RECONCILE_INTERVAL_MS: '200'
  })
  worker(t, redis, async () => 'done')
  const id = await submit(app)
  const [row] = await until(async () => {
    const rows = await jobRows(database.sql)
    return rows[0]?.state === 'completed' && rows
  })
  const [end] = (await historyOf(app.redis, '7')).filter(({ type }) => type === 'completed')
  // As if the rows had missed the end long ago, and the mark had expired.
  await app.redis.hset(`bull:default:${id}`, 'finishedOn', Date.now() - 3_600_000)
  await database.sql`update jobs.jobs set state = 2, result = null, finished_ms = null, event_ms = 1, event_seq = 1 where n = ${row?.n ?? 0}`
  await database.sql`update jobs.counts set count = case state when 2 then 1 else 0 end`
  await until(async () => (await jobRows(database.sql))[0]?.state === 'completed')
  const ends = (await historyOf(app.redis, '7')).filter(({ type }) => type === 'completed')
  t.same(ends.map(({ repeats }) => repeats), [undefined, end?.eventId])
})
