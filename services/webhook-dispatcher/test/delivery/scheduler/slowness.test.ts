import t from 'tap'
import { Slowness } from '../../../src/delivery/scheduler/slowness.ts'

/** Answers one after the other that take so long each. */
function after (durations: number[]): boolean {
  const slowness = new Slowness()
  let now = 0
  for (const ms of durations) slowness.add(ms, now += ms)
  return slowness.isSlow(now)
}
const answers = (count: number, ms: number) => Array.from({ length: count }, () => ms)

t.test('an endpoint is slow after ten slow responses in a row, or some that took seconds', async t => {
  t.equal(after([1, ...answers(10, 100)]), true)
  t.equal(after(answers(40, 50)), true)
  t.equal(after(answers(3, 2000)), true)
})

t.test('an endpoint that is quick, or only sometimes slow, is not slow', async t => {
  t.equal(after([]), false)
  t.equal(after(answers(1000, 45)), false)
  t.equal(after(answers(9, 100)), false)
  t.equal(after([...answers(50, 100), 1]), false)
  t.equal(after(answers(2, 5000)), false)
})

t.test('a hiccup shared by all attempts in flight does not count', async t => {
  const slowness = new Slowness()
  for (let i = 0; i < 10; i++) slowness.add(300, 1000)
  t.equal(slowness.isSlow(1000), false)
})
