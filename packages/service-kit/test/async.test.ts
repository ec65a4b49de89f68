import { getEventListeners } from 'node:events'
import t from 'tap'
import { backoff, pause, untilAborted, withTimeout } from '../src/index.ts'

const never = new Promise<never>(() => {})

t.test('a promise that settles in time passes its outcome on', async t => {
  t.equal(await withTimeout(Promise.resolve('done'), 1000, () => 'late'), 'done')
  t.equal(await withTimeout('a plain value', 1000, () => 'late'), 'a plain value')
  await t.rejects(withTimeout(Promise.reject(new Error('failed')), 1000, () => 'late'), { message: 'failed' })
})

t.test('after the timeout the replacement decides the outcome', async t => {
  t.equal(await withTimeout(never, 1, () => 'late'), 'late')
  await t.rejects(
    withTimeout(never, 1, () => { throw new Error('no answer in time') }), { message: 'no answer in time' }
  )
})

t.test('a rejection after the timeout is ignored', async t => {
  const { promise, reject } = Promise.withResolvers<never>()
  t.equal(await withTimeout(promise, 1, () => 'late'), 'late')
  reject(new Error('nobody waits for this'))
  await pause(5) // an unhandled rejection would end the process by now
})

t.test('an abort ends the wait for a promise, and no listener stays behind', async t => {
  const stopping = new AbortController()
  t.equal(await untilAborted(Promise.resolve('done'), stopping.signal), 'done')
  const waiting = untilAborted(never, stopping.signal)
  stopping.abort(new Error('stopped'))
  await t.rejects(waiting, { message: 'stopped' })
  await t.rejects(untilAborted(never, stopping.signal), { message: 'stopped' }, 'aborted before')
  t.equal(getEventListeners(stopping.signal, 'abort').length, 0)
})

t.test('a pause ends early with the signal, without an error', async t => {
  const stopping = new AbortController()
  const paused = pause(60_000, stopping.signal)
  stopping.abort()
  await t.resolves(paused)
  await t.resolves(pause(60_000, stopping.signal), 'aborted before')
  await t.resolves(pause(1))
})

t.test('the backoff doubles up to its maximum, however many failures there were', async t => {
  t.same([0, 1, 2, 3, 4, 5000].map(failures => backoff(failures, { minMs: 100, maxMs: 1000 })), [
    100, 200, 400, 800, 1000, 1000
  ])
})
