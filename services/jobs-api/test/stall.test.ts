import t from 'tap'
import { until } from '@tidings/testing'
import { producer } from './bullmq.ts'
import { holdProjector } from './hold-projector.ts'
import { untilStates } from './job-rows.ts'
import { setup } from './setup.ts'
import { submit } from './submit.ts'

const QUICK = { STALL_TIMEOUT_MS: '1500' }

t.test('a relay that stalls while BullMQ continues makes the service unready, with the reason', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const client = redis.client()
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  t.equal((await app.inject('/readyz')).statusCode, 200)
  await client.del('bull:default:events')
  await client.set('bull:default:events', 'no stream')
  // A read that was blocking when the key changed reports the fault only after its two seconds.
  const answer = await until(async () => {
    const one = await app.inject('/readyz')
    return one.statusCode === 503 && !one.body.includes('the reason is not known') && one.json()
  })
  t.match(answer.faults, {
    'relay of default': /^relay of default is stalled at \S+ \d+ \d+ for \d+ s while its source advances: .*WRONGTYPE/
  })
  await client.del('bull:default:events')
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})

t.test('a stalled projector does so too, and the service is ready again once it advances', async t => {
  const { app, redis, database } = await setup(t, QUICK)
  const queue = producer(t, redis)
  await queue.add('first', { userId: 1 })
  await untilStates(database.sql, ['waiting'])
  const releaseProjector = await holdProjector(t, database.sql)
  await queue.add('second', { userId: 1 })
  const answer = await until(async () => {
    const one = await app.inject('/readyz')
    return one.statusCode === 503 && one.json()
  })
  t.match(answer.faults, { projector: /is stalled/ })
  await releaseProjector()
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})
