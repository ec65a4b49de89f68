import { randomBytes } from 'node:crypto'
import t from 'tap'
import { JOB_EVENTS_KEY, type JobEvent } from '@tidings/contracts'
import { isNewer, ZERO } from '@tidings/job-events'
import { until } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { jobRows } from '../job-rows.ts'
import { setup } from '../setup.ts'

t.test('events that cannot be projected are skipped alone, and support can find them', async t => {
  const { app, redis, database } = await setup(t)
  const client = redis.client()
  await until(() => isNewer(app.projection.position, ZERO), { what: 'the projector to start' })
  const good = (n: number, change: Partial<JobEvent> = {}): JobEvent =>
    ({
      v: 1,
      type: 'added',
      queue: 'default',
      jobId: `j${n}`,
      generation: `1-${n}`,
      name: 'n',
      userId: '7',
      timestamp: 5,
      ...change
    })
  const bad: object[] = [
    good(1, { userId: 'a\0b' }), good(2, { name: randomBytes(6000).toString('base64') }), good(3, { jobId: 'a\0' }),
    good(4, { generation: 'first' }),
    good(5, { type: 'constructor' as never }), good(6, { created: 1e30 }), good(7, { attempts: 1.5 }),
    good(8, { type: 'failed', error: 'a\0b' }),
    { ...good(9), queue: null }, { x: 1 }, good(10, { name: 5 as never }), { ...good(11), userId: 7 }
  ]
  const pipeline = client.pipeline()
  for (let n = 100; n < 400; n++) {
    const event = n % 25 === 0 ? bad[n / 25 - 4] as Partial<JobEvent> : good(n)
    pipeline.xadd(JOB_EVENTS_KEY, '*', 'u', String(event.userId), 'd', JSON.stringify(event))
  }
  pipeline.xadd(JOB_EVENTS_KEY, '*', 'junk', 'only')
  await pipeline.exec()
  await until(async () => (await jobRows(database.sql)).length === 300 - bad.length)
  t.match(await app.metricsRegistry.metrics(), new RegExp(`tidings_projector_skipped_events_total ${bad.length + 1}`))
  await until(
    async () => (await database.sql`select from jobs.bad_items where consumer = 'projector'`).length === bad.length + 1
  )
  const [found] = await database.sql`select reason, item from jobs.bad_items where job_id = 'j8'`
  t.match(found, { reason: /0x00/, item: /^\d+-\d+$/ })
  t.same(await compareCounts(app.sql), [])
  t.equal((await app.inject('/readyz')).statusCode, 200)
})
