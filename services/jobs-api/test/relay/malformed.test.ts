import t from 'tap'
import { worker } from '../bullmq.ts'
import { jobRows, untilStates } from '../job-rows.ts'
import { setup } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents } from '../published-events.ts'

t.test('malformed entries are counted and skipped', async t => {
  const { app, redis, database } = await setup(t)
  await submit(app)
  await untilStates(database.sql, ['waiting'])
  const events = 'bull:default:events'
  await app.redis.xadd(events, '*', 'event', 'waiting', 'jobId', 'x'.repeat(300))
  await app.redis.xadd(events, '*', 'what', 'is this')
  await app.redis.xadd(events, '*', 'event', 'invented', 'by', 'a producer')
  worker(t, redis, async () => 'done')
  await untilStates(database.sql, ['completed'])
  t.match(await app.metricsRegistry.metrics(), /tidings_relay_malformed_entries_total\{queue="default"\} 2/)
  t.same((await publishedEvents(app.redis)).map(({ type }) => type), ['added', 'waiting', 'active', 'completed'])
})

t.test('texts that Postgres cannot store, and JSON that jsonb could not', async t => {
  const { app, redis, database } = await setup(t)
  const result = { nul: 'a\0b', half: '\ud800', order: { z: 1, a: 2 } }
  worker(t, redis, async job => {
    if (job.name === 'fails') throw new Error('a\0b')
    await job.updateProgress('\0')
    return result
  })
  await submit(app)
  await submit(app, { name: 'fails' })
  const rows = await untilStates(database.sql, ['completed', 'failed'])
  t.same(rows[0]?.result, result)
  t.same(JSON.stringify(rows[0]?.result), JSON.stringify(result), 'with the keys in their order')
  t.equal(rows[0]?.progress, '\0')
  t.equal(rows[1]?.failed_reason, 'a\ufffdb')
  t.equal((await jobRows(database.sql)).length, 2)
})
