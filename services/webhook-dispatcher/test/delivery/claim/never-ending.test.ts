import Fastify from 'fastify'
import t from 'tap'
import { createLoops, type RawSql } from '@tidings/service-kit'
import { until } from '@tidings/testing'
import { createDuePoller } from '../../../src/delivery/claim/due-poller.ts'
import { createWorkerLease, type WorkerLease } from '../../../src/delivery/claim/worker-lease.ts'
import { createEndpointRegistry } from '../../../src/delivery/scheduler/endpoint-registry.ts'
import type { DeliveryScheduler } from '../../../src/delivery/scheduler/delivery-scheduler.ts'
import type { OutcomeWriter } from '../../../src/delivery/outcomes/outcome-writer.ts'

const log = Fastify().log
const never = () => new Promise<never>(() => {})

/** A client whose statements return these rows. */
function client (rows: () => Promise<object[]>, end = async () => {}): RawSql {
  const query = async (strings: unknown) => Array.isArray(strings) ? await rows() : []
  return Object.assign(query, { end }) as unknown as RawSql
}

t.test('a claim that never ends is given up with the worker\'s id, under which it may come late', async t => {
  const loops = createLoops({ log })
  const abandoned: number[] = []
  let [workerId, claims] = [1, 0]
  const lease = {
    get workerId () { return workerId },
    abandon: () => { abandoned.push(workerId++) }
  } as unknown as WorkerLease
  const poller = createDuePoller({
    sql: client(async () => {
      if (workerId === 1) return await never()
      claims++
      return [{ now: Date.now(), scanned: 0, id: null }]
    }),
    lease,
    endpoints: createEndpointRegistry(1),
    scheduler: {} as DeliveryScheduler,
    outcomeWriter: {} as OutcomeWriter,
    maxRuns: 1,
    probeMs: 1,
    loops,
    log,
    timeoutMs: 10
  })
  poller.start()
  await until(() => /^claims of due deliveries: no step has ended/.test(loops.fault() ?? ''))
  t.same(abandoned, [1])
  await until(() => claims > 0)
  await until(() => loops.fault() === undefined)
  await poller.stop()
})

t.test('a renewal that never ends costs its connection, and the worker gets another id on another one', async t => {
  const loops = createLoops({ log })
  const [opened, ended] = [[] as (() => void)[], [] as number[]]
  const late = Promise.withResolvers<object[]>()
  let statements = 0
  const lease = createWorkerLease({
    openConnection: onLost => {
      const n = opened.push(onLost)
      const rows = async () => {
        statements++
        return n === 1 ? await late.promise : [{ id: n }]
      }
      return client(rows, async () => { ended.push(n) })
    },
    leaseMs: 60_000,
    onRestored: () => t.fail('Postgres is the same'),
    loops,
    log,
    timeoutMs: 10
  })
  await lease.start()
  await until(() => lease.workerId === 2)
  t.same(ended, [1])
  t.equal(loops.fault(), undefined)
  const before = statements
  late.resolve([{ id: 1 }]) // the statement was done after all
  opened[0]?.()
  await new Promise(resolve => setTimeout(resolve, 5))
  t.equal(lease.workerId, 2, 'neither the late reply nor the end of the former connection matters')
  t.equal(statements, before)
  await lease.stop()
  t.same(ended, [1, 2])
})
