import t from 'tap'
import { until, type TestContext } from '@tidings/testing'
import { watchForStall } from '../src/index.ts'

/** A consumer whose position and source a test moves. */
function watch (t: TestContext, { patienceMs = 1 } = {}) {
  const state = { at: '1-0', behind: false, away: false, looks: 0 }
  const lines: string[] = []
  const standstill = watchForStall({
    what: 'relay of q',
    position: () => state.at,
    isBehind: () => {
      state.looks++
      if (state.away) throw new Error('Redis is away')
      return state.behind
    },
    reason: () => 'WRONGTYPE',
    log: { error: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`), warn: (_fields, message) => lines.push(message) },
    patienceMs,
    everyMs: 2
  })
  t.teardown(standstill.stop)
  const looked = async () => {
    const from = state.looks
    await until(() => state.looks > from + 3)
  }
  return { state, standstill, lines, looked }
}

t.test('a consumer that stands still while its source advances is reported with the reason, and once in the log', async t => {
  const { state, standstill, lines, looked } = watch(t)
  state.behind = true
  await until(() => standstill.fault())
  t.match(standstill.fault(), /^relay of q stands still at 1-0 for \d+ s while its source advances: WRONGTYPE$/)
  await looked()
  t.equal(lines.length, 1)
  t.match(lines[0], /"what":"relay of q","position":"1-0","reason":"WRONGTYPE"/)

  state.at = '2-0'
  state.behind = false
  await until(() => standstill.fault() === undefined)
  await looked()
  t.equal(lines.length, 2)
  t.match(lines[1], 'it moves again')
})

t.test('one that has read everything, however long ago, does not stand still', async t => {
  const { standstill, looked } = watch(t)
  await looked()
  t.equal(standstill.fault(), undefined)
})

t.test('one that is behind but moves does not stand still', async t => {
  const { state, standstill, looked } = watch(t, { patienceMs: 60_000 })
  state.behind = true
  await looked()
  t.equal(standstill.fault(), undefined)
})

t.test('while the source is away nothing is known', async t => {
  const { state, standstill, lines } = watch(t)
  state.behind = true
  await until(() => standstill.fault())
  state.away = true
  await until(() => standstill.fault() === undefined)
  t.equal(lines.length, 1)
})
