import t from 'tap'
import { createDoubts } from '../../src/relay/reconcile-requests.ts'

t.test('a removed job can be judged after the grace, a slot at once', async t => {
  let now = 0
  const doubts = createDoubts({ graceMs: 10, now: () => now })
  doubts.noteRemoval('a', { generation: '1-0', ms: 5 })
  doubts.note({ slot: 'repeat:x' })
  doubts.note({ slot: 'repeat:x' })
  t.same(doubts.take(), { doubts: [{ slot: 'repeat:x' }], isFull: false })
  now = 9
  doubts.noteRemoval('b', { generation: '2-0', ms: 6 })
  t.same(doubts.take().doubts, [])
  t.ok(doubts.isPending('a', '1-0') && !doubts.isPending('a', '3-0'))
  now = 10
  t.same(doubts.take().doubts, [{ jobId: 'a', removed: { generation: '1-0', ms: 5 } }])
  t.ok(doubts.isPending('b', '2-0') && !doubts.isPending('a', '1-0'))
})

t.test('there is a bound; beyond it that is said once', async t => {
  const doubts = createDoubts({ max: 2, graceMs: 0 })
  for (const jobId of ['a', 'b', 'c']) doubts.noteRemoval(jobId, { generation: '1-0', ms: 1 })
  t.same([doubts.take(), doubts.take()].map(({ doubts, isFull }) => [doubts.length, isFull]), [[2, true], [0, false]])
})
