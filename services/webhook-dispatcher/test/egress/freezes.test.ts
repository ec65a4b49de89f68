import t from 'tap'
import { createFreezes } from '../../src/egress/freezes.ts'

/** A process whose clocks the test sets. */
function setup () {
  const clock = { now: 0, today: 0 }
  const freezes = createFreezes({ now: () => clock.now, today: () => clock.today })
  t.teardown(() => freezes.close())
  const pass = (ms: number, { monotonic = true } = {}) => {
    clock.today += ms
    if (monotonic) clock.now += ms
  }
  return { freezes, clock, pass }
}

t.test('a process that runs is not frozen, however busy', async t => {
  const { freezes, pass } = setup()
  for (let i = 0; i < 10; i++) {
    pass(900)
    t.equal(freezes.since(0), 0)
  }
})

t.test('a process that was stopped is frozen', async t => {
  const { freezes, clock, pass } = setup()
  pass(12_000)
  t.ok(freezes.since(0) > 11_000, 'an attempt that began before')
  t.equal(freezes.since(clock.now), 0, 'not one that began after')
})

t.test('a process on a suspended machine is frozen, though its monotonic clock stood still', async t => {
  const { freezes, pass } = setup()
  pass(100)
  pass(3_600_000, { monotonic: false })
  t.ok(freezes.since(50) > 3_500_000)
})

t.test('a clock that is set back is no freeze', async t => {
  const { freezes, clock } = setup()
  clock.today -= 3_600_000
  t.equal(freezes.since(0), 0)
})
