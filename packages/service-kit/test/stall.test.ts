import t from 'tap'
import { until, type TestContext } from '@tidings/testing'
import { watchForStall } from '../src/index.ts'

/** A consumer whose position and source a test moves. */
function watch (t: TestContext, { timeoutMs = 1 } = {}) {
  const state = { at: '1-0', behind: false, away: false, looks: 0 }
  const lines: string[] = []
  const stall = watchForStall({
    what: 'relay of q',
    position: () => state.at,
    isBehind: () => {
      state.looks++
      if (state.away) throw new Error('Redis is away')
      return state.behind
    },
    reason: () => 'WRONGTYPE',
    log: {
      error: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`),
      warn: (_fields, message) =>
        lines.push(message)
    },
    timeoutMs,
    everyMs: 2
  })
  t.teardown(stall.stop)
  const looked = async () => {
    const from = state.looks
    await until(() => state.looks > from + 3)
  }
  return { state, stall, lines, looked }
}

t.test('a consumer that stalls while its source advances is reported with the reason, and logged once', async t => {
  const { state, stall, lines, looked } = watch(t)
  state.behind = true
  await until(() => stall.fault())
  t.match(stall.fault(), /^relay of q is stalled at 1-0 for \d+ s while its source advances: WRONGTYPE$/)
  await looked()
  t.equal(lines.length, 1)
  t.match(lines[0], /"what":"relay of q","position":"1-0","reason":"WRONGTYPE"/)

  state.at = '2-0'
  state.behind = false
  await until(() => stall.fault() === undefined)
  await looked()
  t.equal(lines.length, 2)
  t.match(lines[1], 'the consumer moves again')
})

t.test('a consumer that has read everything is not stalled', async t => {
  const { stall, looked } = watch(t)
  await looked()
  t.equal(stall.fault(), undefined)
})

t.test('a consumer that is behind but moves is not stalled', async t => {
  const { state, stall, looked } = watch(t, { timeoutMs: 60_000 })
  state.behind = true
  await looked()
  t.equal(stall.fault(), undefined)
})

t.test('while the source is away no stall is reported', async t => {
  const { state, stall, lines } = watch(t)
  state.behind = true
  await until(() => stall.fault())
  state.away = true
  await until(() => stall.fault() === undefined)
  t.equal(lines.length, 1)
})

t.test('a look-up that never ends does not end the watch', async t => {
  let looks = 0
  const stall = watchForStall({
    what: 'relay of q',
    position: async () => ++looks === 1 ? await new Promise<never>(() => {}) : '1-0',
    isBehind: () => true,
    log: { error () {}, warn () {} },
    timeoutMs: 1,
    everyMs: 2,
    lookTimeoutMs: 10
  })
  t.teardown(stall.stop)
  await until(() => stall.fault())
  t.ok(looks > 1)
})
