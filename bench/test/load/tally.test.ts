import t from 'tap'
import { now } from '../../src/clock.ts'
import { createTally } from '../../src/load/tally.ts'

const RUN = 7

function setup ({ events = 10, jobs = 2, copies = 1 } = {}) {
  const tally = createTally()
  tally.start({ run: RUN, events, jobs, copies })
  const take = (seq: number, job = seq % jobs) => tally.take({ run: RUN, seq, job, at: now() - 5_000 })
  return { tally, take }
}

t.test('events that have not arrived count as lost', async t => {
  const { tally, take } = setup()
  for (const seq of [0, 1, 2, 4, 5, 6, 7, 9]) take(seq)
  const { received, lost, latencies } = tally.finish()
  t.equal(received, 8)
  t.equal(lost, 2)
  t.equal(latencies.length, 8, 'only events that arrived have a latency')
})

t.test('a second arrival counts as doubled, not as received', async t => {
  const { tally, take } = setup()
  for (const seq of [0, 1, 1, 1]) take(seq)
  const { received, doubled } = tally.finish()
  t.equal(received, 2)
  t.equal(doubled, 2)
})

t.test('order counts within a job, not between jobs', async t => {
  const { tally, take } = setup()
  take(1, 1)
  take(0, 0)
  t.equal(tally.finish().reordered, 0)
  take(4, 0)
  take(2, 0)
  t.equal(tally.finish().reordered, 1)
})

t.test('events of another run are strays', async t => {
  const { tally } = setup()
  tally.take({ run: RUN - 1, seq: 0, job: 0, at: now() })
  t.equal(tally.finish().received, 0)
  t.equal(tally.strays(), 1)
})

t.test('every socket of a room must get a copy', async t => {
  const { tally, take } = setup({ events: 2, copies: 3 })
  for (const seq of [0, 0, 0, 1, 1]) take(seq)
  t.equal(tally.received(), 5 / 3)
  const { lost, doubled } = tally.finish()
  t.equal(lost, 1)
  t.equal(doubled, 0)
})

t.test('the middle of a run lies between the arrival of 10 % and of 90 %', async t => {
  const { tally, take } = setup()
  take(0)
  t.ok(tally.finish().tenth > 0)
  t.equal(tally.finish().ninetieth, 0)
  for (let seq = 1; seq < 9; seq++) take(seq)
  t.ok(tally.finish().ninetieth >= tally.finish().tenth)
})

t.test('latency runs from the mark to the first arrival', async t => {
  const { tally, take } = setup()
  take(0)
  const [latency] = tally.finish().latencies
  t.ok(latency !== undefined && latency >= 5)
})
