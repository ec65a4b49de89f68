import t from 'tap'
import { createReconcileRequests } from '../../src/relay/mapping/reconcile-requests.ts'
import { reconcileRequested, type ReconcileContext } from '../../src/reconcile/reconcile.ts'
import { reenqueue } from '../../src/reconcile/reenqueue.ts'
import type { OpenRow } from '../../src/reconcile/open-rows.ts'

t.test('requests of a run that is given up are there for the next run', async t => {
  const reconcileRequests = createReconcileRequests()
  reconcileRequests.request({ slot: 'a' })
  const givingUp = new AbortController()
  const context = {
    reconcileRequests,
    queue: { name: 'default', toKey: (name: string) => name },
    redis: { xinfo: async () => await new Promise<never>(() => {}) }
  } as unknown as ReconcileContext
  reconcileRequested(context, { signal: givingUp.signal, alive: () => {} }).catch((err: unknown) => t.fail(String(err)))
  t.same(reconcileRequests.take().targets, [])
  givingUp.abort()
  t.same(reconcileRequests.take().targets, [{ slot: 'a' }])
})

t.test('a pause of the relay that was given up adds no job', async t => {
  const added: unknown[] = []
  const queue = { addBulk: async (jobs: unknown) => { added.push(jobs) } }
  const context = { queue, redis: {}, signal: AbortSignal.abort() } as unknown as Parameters<typeof reenqueue>[1]
  const row = { id: '1', name: 'job', data: {}, created_ms: 0 } as OpenRow
  await t.rejects(reenqueue([row], context), { name: 'AbortError' })
  t.same(added, [])
})
