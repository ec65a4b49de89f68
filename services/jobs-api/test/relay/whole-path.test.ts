import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf, until } from '@tidings/testing'
import { producer, worker } from '../bullmq.ts'
import { setup } from '../setup.ts'
import { publishedEvents, historyOf } from '../published-events.ts'

t.test('a submitted job is published and projected from its start to its end', async t => {
  const { app, redis, database } = await setup(t)
  const headers = { authorization: `Bearer ${tokenOf(7)}` }
  const submitted = await app.inject({
    method: 'POST', url: '/submit-job', headers, payload: { name: 'dataProcessing', data: { file: 'data.csv' } }
  })
  t.equal(submitted.statusCode, 202)
  const { jobId } = submitted.json()

  worker(t, redis, async job => {
    t.equal(job.data.userId, 7)
    await job.updateProgress(50)
    await job.updateProgress({ rows: 10 })
    return { file: job.data.file }
  })
  const job = await until(async () => {
    const answer = (await app.inject({ url: `/jobs/${jobId}`, headers })).json()
    return answer.state === 'completed' && answer
  })
  t.same(job.result, { file: 'data.csv' })
  t.same(job.progress, { rows: 10 })
  t.same(job.attempts, { made: 1, max: 1 })
  t.ok(job.timestamp.created <= job.timestamp.started && job.timestamp.started <= job.timestamp.finished)

  const events = await publishedEvents(app.redis)
  t.same(events.map(({ type }) => type), ['added', 'waiting', 'active', 'progress', 'progress', 'completed'])
  t.ok(events.every(event => event.userId === '7' && event.name === 'dataProcessing' && event.jobId === jobId))
  t.same(await historyOf(app.redis, '7'), events, 'the history of the owner has the same events with the same ids')
  t.equal(job.lastEventId, events.at(-1)?.eventId)
  t.same(await database.sql`select state, count::int from jobs.counts where user_id = '7' and count <> 0`, [
    { state: 3, count: 1 }
  ])
  t.same((await database.sql`select type from jobs.timeline order by event_ms, event_seq`).map(({ type }) => type), [
    'added',
    'waiting',
    'active',
    'completed'
  ])
})

t.test('a job that another producer adds is adopted by the userId in its data', async t => {
  const { app, redis, database } = await setup(t, { JOB_QUEUES: 'default,reports' })
  const queue = producer(t, redis, 'reports')
  worker(t, redis, async () => 'done', { name: 'reports' })
  await queue.add('nightly', { userId: 'ada', secret: true }, { attempts: 3 })
  await queue.add('foreign', { no: 'user' })
  await queue.add('nightly', { userId: 7 })

  const rows = await until(async () => {
    const found =
      await database.sql`select id, user_id, name, queue, state, ours, attempts_made, attempts_max, result, generation_ms::text as generation from jobs.jobs order by n`
    return found.length === 2 && found.every(({ state }) => state === 3) && found
  })
  t.same(rows.map(
    ({ id, user_id: user, name, queue, ours, attempts_max: max }) => ({ id, user, name, queue, ours, max })
  ), [
    { id: '1', user: 'ada', name: 'nightly', queue: 'reports', ours: false, max: 3 },
    { id: '3', user: '7', name: 'nightly', queue: 'reports', ours: false, max: 1 }
  ])
  t.ok(rows.every(({ generation }) => generation !== '0'))
  t.same((await historyOf(app.redis, 'ada')).map(({ type }) => type), ['added', 'waiting', 'active', 'completed'])
})

t.test('an event is published within moments', async t => {
  const { app, redis } = await setup(t)
  const queue = producer(t, redis)
  await queue.add('first', { userId: 1 })
  await until(async () => (await historyOf(app.redis, '1')).length === 2)
  const times: number[] = []
  // several tries: the machine may be busy for a second
  for (let userId = 2; userId < 7 && !times.some(ms => ms < 1000); userId++) {
    await sleep(100) // the relay is blocking by now
    const before = Date.now()
    await queue.add('another', { userId })
    await until(async () => (await historyOf(app.redis, String(userId))).length === 2, { intervalMs: 1 })
    times.push(Date.now() - before)
  }
  t.ok(times.some(ms => ms < 1000), `took ${times.join(', ')} ms`)
})
