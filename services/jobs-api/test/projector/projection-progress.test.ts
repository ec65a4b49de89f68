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

t.test('nothing counts as reached from the loss of the connection until the position was read again', async t => {
  const progress = createProjectionProgress()
  progress.advance(id(5), [])
  const { losses } = progress
  progress.lose()
  t.equal(progress.hasReached(id(4)), false)
  t.ok(progress.losses > losses)
  const waiting = progress.waitFor(id(4), { timeoutMs: 5000 })
  progress.advance(id(6), [])
  t.equal(progress.hasReached(id(4)), false, 'a commit may be one that Postgres has lost')
  t.equal(progress.confirm(id(6), id(6)), false)
  t.equal(await waiting, true)
})

t.test('a position that is read below the one before shows that Postgres has gone back', async t => {
  const progress = createProjectionProgress()
  let steps = 0
  const unwatch = progress.watchBack(() => steps++)
  progress.advance(id(5), [])
  t.equal(progress.confirm(id(3), id(5)), true)
  t.same([progress.position, progress.highest, steps], [id(3), id(5), 1])
  t.equal(progress.hasReached(id(4)), false)
  progress.advance(id(4), [])
  t.equal(progress.hasReached(id(4)), true)
  progress.advance(id(7), [])
  t.equal(progress.confirm(id(6), id(4)), false, 'not one that is below what was committed during the read')
  t.same(progress.position, id(7))
  unwatch()
  progress.confirm(id(1), id(7))
  t.equal(steps, 1)
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
