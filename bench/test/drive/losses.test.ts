import t from 'tap'
import { faults, lostOf } from '../../src/drive/losses.ts'
import type { Arrivals } from '../../src/load/tally.ts'

const arrivals = (more: Partial<Arrivals> = {}): Arrivals => ({
  received: 10, lost: 0, doubled: 0, reordered: 0, tenth: 1, ninetieth: 2, first: 0, last: 3, latencies: new Float32Array(0), ...more
})

t.test('a run in which everything came once and in order has no fault', async t => {
  t.same(faults('a run', { sockets: arrivals(), webhooks: arrivals() }), [])
})

t.test('what is lost, doubled or out of order is named with its channel', async t => {
  const run = { sockets: arrivals({ lost: 3, doubled: 2 }), webhooks: arrivals({ reordered: 1, lost: 1 }) }
  t.same(faults('a run', run), [
    'a run: 3 events never came by sockets',
    'a run: 2 events came twice by sockets',
    'a run: 1 events never came by webhooks',
    'a run: 1 events came out of order by webhooks'
  ])
  t.equal(lostOf(run), 4)
})

t.test('a webhook may come twice: its id says so', async t => {
  t.same(faults('a run', { sockets: arrivals(), webhooks: arrivals({ doubled: 5 }) }), [])
})
