import t from 'tap'
import { JOB_EVENTS_KEY, PROJECTOR_LEASE_KEY } from '@tidings/contracts'
import { isNewer, ZERO } from '@tidings/job-events'
import { until } from '@tidings/testing'
import { untilStates } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'

t.test('a projector that meets an event of a newer release is unready, and releases its lease', async t => {
  const { app, redis, database } = await setup(t)
  const client = redis.client()
  await until(() => isNewer(app.projection.position, ZERO), { what: 'the projector to start' })
  const newer = await client.xadd(JOB_EVENTS_KEY, '*', 'u', '7', 'd', JSON.stringify({
    v: 2, type: 'moved', jobId: 'a', queue: 'default', userId: '7'
  })) as string

  await until(() => app.projectorFault())
  t.match(app.projectorFault(), /version 2/)
  t.equal((await app.inject('/readyz')).statusCode, 503)
  await until(async () => await client.exists(PROJECTOR_LEASE_KEY) === 0, { what: 'the lease to be released' })
  await client.xdel(JOB_EVENTS_KEY, newer)
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  await until(async () => (await app.inject('/readyz')).statusCode === 200, {
    what: 'the service to be ready again, without a restart'
  })
})
