import t from 'tap'
import { until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { setup, startApp, startServers } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents, historyOf } from '../published-events.ts'
import { untilCompared } from '../until-compared.ts'

const PATIENT = { RECONCILE_SILENT_MS: '3600000', SWEEP_AGE_MS: '200' }
const relayed = 'tidings_relay_lost_entries_total'

t.test('the limit of events is kept high, and restored when another producer resets it', async t => {
  const { app, redis } = await setup(t, PATIENT)
  const cap = () => app.redis.hget('bull:default:meta', 'opts.maxLenEvents')
  await until(async () => await cap() === '1000000')
  const queue = producer(t, redis)
  await queue.waitUntilReady()
  await app.redis.hset('bull:default:meta', 'opts.maxLenEvents', '10000')
  await until(async () => await cap() === '1000000')
  t.pass('repaired')
})

t.test('entries that were trimmed while the relay was away are counted exactly, and reconciled', async t => {
  const { redis, env, database } = await startServers(t)
  const first = await startApp(t, { ...env, ...PATIENT })
  const done = await submit(first, { user: 1 })
  const open = await submit(first, { user: 1, delay: 60_000 })
  const queue = producer(t, redis)
  await queue.add('adopted', { userId: 2 }, { jobId: 'mine' })
  await untilStates(database.sql, ['waiting', 'delayed', 'waiting'])
  await until(async () => (await publishedEvents(first.redis)).length === 6) // all are in BullMQ
  await untilCompared(first.redis)
  await first.close()

  const ran = worker(t, redis, async job => `result of ${job.name}`)
  await until(async () => await queue.getCompletedCount() === 2)
  await ran.close()
  await queue.remove('mine')
  await queue.trimEvents(0)
  await queue.add('another', { userId: 3 }, { jobId: 'mine' }) // starts unseen: its `added` is trimmed too
  await queue.trimEvents(0)
  await queue.promoteJobs()

  const second = await startApp(t, { ...env, ...PATIENT })
  worker(t, redis, async job => `result of ${job.name}`)
  const rows = await untilStates(database.sql, ['completed', 'completed', 'failed', 'completed'])
  t.equal(rows[0]?.result, 'result of work')
  t.equal(rows[2]?.failed_reason, 'Removed from the queue')
  t.same([rows[3]?.user_id, rows[3]?.name], ['3', 'another'])
  const former = await historyOf(second.redis, '2')
  t.match(await second.metricsRegistry.metrics(), new RegExp(`${relayed}\\{queue="default"\\} \\d+`))
  t.ok(
    former.length > 0 && former.every(({ name }) => name === 'adopted'),
    'the former owner of an id gets no events of its next job'
  )
  const made = (await publishedEvents(second.redis)).filter(({ jobId, reconciled }) => jobId === done && reconciled)
  t.same(made.map(({ type }) => type), ['completed'])
  t.ok(open)
})

t.test('BullMQ\'s events are trimmed behind the relay, not ahead of it', async t => {
  const { redis, env, database } = await startServers(t)
  const app = await startApp(t, { ...env, ...PATIENT, RELAY_EVENTS_BEHIND: '100', RELAY_TRIM_MS: '100' })
  const queue = producer(t, redis)
  await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: 'nobody', data: {} })))
  await until(async () => await app.redis.xlen('bull:default:events') < 400)
  await queue.add('last', { userId: 1 })
  await untilStates(database.sql, ['waiting'])
  t.notMatch(
    await app.metricsRegistry.metrics(), new RegExp(`${relayed}\\{queue="default"\\} [1-9]`),
    'and no entry counts as lost'
  )
})
