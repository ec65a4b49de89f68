import t from 'tap'
import { faults, lostOf } from '../../src/workload/losses.ts'
import type { Arrivals } from '../../src/load/tally.ts'

const arrivals = (more: Partial<Arrivals> = {}): Arrivals => ({
  received: 10,
  lost: 0,
  doubled: 0,
  reordered: 0,
  tenth: 1,
  ninetieth: 2,
  first: 0,
  last: 3,
  latencies: new Float32Array(0),
  ...more
})

t.test('a run in which every event arrives once and in order has no fault', async t => {
  t.same(faults('a run', { sockets: arrivals(), webhooks: arrivals() }), [])
})

t.test('lost, doubled and reordered events are counted per channel', async t => {
  const run = { sockets: arrivals({ lost: 3, doubled: 2 }), webhooks: arrivals({ reordered: 1, lost: 1 }) }
  t.same(faults('a run', run), [
    'a run: 3 events never arrived at sockets',
    'a run: 2 events arrived twice at sockets',
    'a run: 1 events never arrived at webhooks',
    'a run: 1 events arrived out of order at webhooks'
  ])
  t.equal(lostOf(run), 4)
})

t.test('a doubled webhook is no fault: receivers recognise it by its id', async t => {
  t.same(faults('a run', { sockets: arrivals(), webhooks: arrivals({ doubled: 5 }) }), [])
})
