import t from 'tap'
import { JOB_EVENTS_KEY, userHistoryKey, finalityKey } from '@tidings/contracts'
import { until } from '@tidings/testing'
import { untilStates } from '../job-rows.ts'
import { worker } from '../bullmq.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

const EVENTS = 'bull:default:events'

t.test('the relay\'s data in Redis stays within the configured bounds', async t => {
  const { app, redis, database } = await setup(t, {
    STREAM_MAX_BYTES: '200000',
    HISTORY_LENGTH: '100',
    HISTORY_TTL_MS: '60000',
    FINALITY_TTL_MS: '30000',
    RELAY_EVENTS_AHEAD: '50000',
    RELAY_TRIM_MS: '100'
  })
  const client = redis.client()
  const metric = async (name: string) => Number(
    new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm').exec(await app.metricsRegistry.metrics())?.[1]
  )
  const jobId = await submit(app)
  await untilStates(database.sql, ['waiting'])
  // Over some time, as in production: the stream is trimmed at the start of a millisecond.
  for (let sent = 2; sent < 2000; sent += 100) {
    const batch = client.pipeline()
    for (let i = 0; i < 100; i++) {
      batch.xadd(EVENTS, '*', 'event', 'progress', 'jobId', jobId, 'data', JSON.stringify('x'.repeat(300)))
    }
    await batch.exec()
    await until(async () => await metric('tidings_relay_events_total') === sent + 100, { intervalMs: 2 })
  }
  await until(async () => Number(await client.memory('USAGE', JOB_EVENTS_KEY)) <= 200_000)
  await until(async () => await metric('tidings_stream_trimmed_events_total') > 0)
  t.ok(await metric('tidings_relay_batches_total') >= 20)
  await until(async () => await metric('tidings_stream_bytes') === await client.memory('USAGE', JOB_EVENTS_KEY))
  await until(async () => await metric('tidings_stream_events') === await client.xlen(JOB_EVENTS_KEY))

  const history = userHistoryKey('7')
  t.ok(await client.xlen(history) <= 200, 'trimmed by whole nodes of a hundred')
  const ttl = await client.pttl(history)
  t.ok(ttl > 0 && ttl <= 60_000)
  await until(async () => await client.hget('bull:default:meta', 'opts.maxLenEvents') === '50000')

  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed'])
  const mark = await client.pttl(finalityKey('default', jobId))
  t.ok(mark > 0 && mark <= 30_000)
})

t.test('events that are too old are trimmed off the stream', async t => {
  const { app, redis, database } = await setup(t, { STREAM_RETENTION_MS: '500' })
  const client = redis.client()
  const jobId = await submit(app)
  await untilStates(database.sql, ['waiting'])
  const batch = client.pipeline()
  for (let i = 0; i < 500; i++) batch.xadd(EVENTS, '*', 'event', 'progress', 'jobId', jobId, 'data', '1')
  await batch.exec()
  await until(async () => {
    await client.xadd(EVENTS, '*', 'event', 'progress', 'jobId', jobId, 'data', '2')
    return await client.xlen(JOB_EVENTS_KEY) < 300
  })
  t.pass('as others come')
})
