import t from 'tap'
import { producer } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { startApp, startServers } from '../setup.ts'
import { historyOf } from '../published-events.ts'

/** A job's creation time is by its producer's clock, BullMQ's events have the clock of Redis. */
const ahead = () => ({ timestamp: Date.now() + 60_000 })

t.test('jobs of a producer whose clock is ahead are adopted, however many events follow', async t => {
  const { redis, env, database } = await startServers(t)
  const queue = producer(t, redis)
  await queue.addBulk(Array.from({ length: 300 }, () => ({ name: 'early', data: { userId: 'ann' }, opts: ahead() })))
  const app = await startApp(t, { ...env, RELAY_BATCH: '50' })
  await untilStates(database.sql, Array.from({ length: 300 }, () => 'waiting'))
  t.equal((await historyOf(app.redis, 'ann')).length, 600)
})

t.test('yet no event of one incarnation of an id is published to the user of the next', async t => {
  const { redis, env, database } = await startServers(t)
  const queue = producer(t, redis)
  await queue.add('old', { userId: 'ann' }, { jobId: 'same', ...ahead() })
  await queue.remove('same')
  await queue.addBulk(Array.from({ length: 150 }, () => ({ name: 'other', data: { userId: 'cid' }, opts: ahead() })))
  await queue.add('new', { userId: 'bob' }, { jobId: 'same', ...ahead() })
  const app = await startApp(t, { ...env, RELAY_BATCH: '50' }) // the two incarnations are in different batches
  await untilStates(database.sql, Array.from({ length: 151 }, () => 'waiting'))
  t.same((await historyOf(app.redis, 'bob')).map(({ type, name }) => `${type} ${name}`), ['added new', 'waiting new'])
  t.equal((await historyOf(app.redis, 'ann')).length, 0)
})
