import t from 'tap'
import { until } from '@tidings/testing'
import { changeKey, createProjectionProgress } from '../../src/projector/projection-progress.ts'
import { untilStates } from '../job-rows.ts'
import { setup, startApp } from '../setup.ts'
import { submit } from '../submit.ts'
import { publishedEvents } from '../published-events.ts'

const id = (ms: number) => ({ ms, seq: 0 })

t.test('a waiter for a position wakes when it is reached, not before', async t => {
  const progress = createProjectionProgress()
  const waiting = progress.waitFor(id(5), { timeoutMs: 5000 })
  progress.advance(id(4), [])
  progress.advance(id(6), [])
  t.equal(await waiting, true)
  t.equal(await progress.waitFor(id(6), { timeoutMs: 1 }), true, 'at once if it was reached before')
  progress.advance(id(3), [])
  t.same(progress.position, id(6), 'never backwards')
})

t.test('a wait ends with its timeout or its signal', async t => {
  const progress = createProjectionProgress()
  t.equal(await progress.waitFor(id(5), { timeoutMs: 10 }), false)
  const gone = new AbortController()
  const waiting = progress.waitForChange('7', 'job', { timeoutMs: 5000, signal: gone.signal })
  gone.abort()
  t.equal(await waiting, false)
})

t.test('a waiter for a job wakes for that job of that user, and if it is not known which jobs changed', async t => {
  const progress = createProjectionProgress()
  let woken = 0
  const waiting = progress.waitForChange('7', 'job', { timeoutMs: 5000 }).then(() => woken++)
  progress.advance(id(1), [changeKey('8', 'job'), changeKey('7', 'other')])
  await Promise.resolve()
  t.equal(woken, 0)
  progress.advance(id(2), [changeKey('7', 'job')])
  await waiting
  const again = progress.waitForChange('7', 'job', { timeoutMs: 5000 })
  progress.advanceTo(id(3))
  t.equal(await again, true)
})

t.test('a replica that does not project is notified of positions and changed jobs too', async t => {
  const { app, env, database } = await setup(t)
  const other = await startApp(t, env)
  const first = other.projection
  const jobId = await submit(app)
  await untilStates(database.sql, ['waiting'])
  const changed = first.waitForChange('7', jobId, { timeoutMs: 30_000 })
  await app.findQueue('default').remove(jobId)
  t.equal(await changed, true)
  await until(async () => (await publishedEvents(app.redis)).length === 3)
  const [ms = 0, seq = 0] = ((await publishedEvents(app.redis)).at(-1)?.eventId ?? '').split('-').map(Number)
  t.equal(await first.waitFor({ ms, seq }, { timeoutMs: 30_000 }), true)

  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query like 'listen%'`
  await submit(app)
  const last = await until(async () => {
    const events = await publishedEvents(app.redis)
    return events.length === 5 && events.at(-1)?.eventId
  })
  const [lastMs = 0, lastSeq = 0] = String(last).split('-').map(Number)
  t.equal(
    await first.waitFor({ ms: lastMs, seq: lastSeq }, { timeoutMs: 30_000 }), true, 'also after its connection was cut'
  )
})
