import t from 'tap'
import { createReconcileRequests } from '../../../src/relay/mapping/reconcile-requests.ts'

t.test('a removed job is due after the grace period, a slot at once', async t => {
  let now = 0
  const requests = createReconcileRequests({ graceMs: 10, now: () => now })
  requests.requestAfterRemoval('a', { generation: '1-0', ms: 5 })
  requests.request({ slot: 'repeat:x' })
  requests.request({ slot: 'repeat:x' })
  t.same(requests.take(), { targets: [{ slot: 'repeat:x' }], isFull: false })
  now = 9
  requests.requestAfterRemoval('b', { generation: '2-0', ms: 6 })
  t.same(requests.take().targets, [])
  t.ok(requests.isPending('a', '1-0') && !requests.isPending('a', '3-0'))
  now = 10
  t.same(requests.take().targets, [{ jobId: 'a', removed: { generation: '1-0', ms: 5 } }])
  t.ok(requests.isPending('b', '2-0') && !requests.isPending('a', '1-0'))
})

t.test('the number of targets is limited; beyond it `isFull` is returned once', async t => {
  const requests = createReconcileRequests({ max: 2, graceMs: 0 })
  for (const jobId of ['a', 'b', 'c']) requests.requestAfterRemoval(jobId, { generation: '1-0', ms: 1 })
  t.same(
    [requests.take(), requests.take()].map(({ targets, isFull }) => [targets.length, isFull]), [[2, true], [0, false]]
  )
})
