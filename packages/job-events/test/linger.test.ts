import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createLinger } from '../src/index.ts'

t.test('without a batch there is nothing to wait for', async t => {
  const waited = createLinger(60_000).over().then(() => 'over')
  t.equal(await Promise.race([waited, nextTurn('still waiting')]), 'over')
})

t.test('it is over once the last batch is old enough, not before', async t => {
  const linger = createLinger(30)
  linger.note()
  const from = performance.now()
  await linger.over()
  t.ok(performance.now() - from >= 25, 'a timer may be early by a millisecond or two')
})

t.test('an abort ends the wait', async t => {
  const linger = createLinger(60_000)
  linger.note()
  const stopping = new AbortController()
  const waited = linger.over(stopping.signal)
  t.equal(await Promise.race([waited, nextTurn('waits')]), 'waits')
  stopping.abort()
  t.equal(await waited, undefined)
})
