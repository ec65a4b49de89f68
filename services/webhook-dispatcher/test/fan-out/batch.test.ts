import t from 'tap'
import { setImmediate as turn } from 'node:timers/promises'
import { Batch } from '../../src/fan-out/batch.ts'
import { Endpoint } from '../../src/delivery/scheduler/endpoint.ts'
import { createDeliveryScheduler } from '../../src/delivery/scheduler/delivery-scheduler.ts'
import { createOrderedRun } from '../../src/delivery/scheduler/ordered-run.ts'
import { groupKeyOf, released, type Result, type Task } from '../../src/delivery/attempt/task.ts'
import { targetOf } from '../delivery/target.ts'

const DELIVERED: Result = { decision: { state: 'delivered' }, keyState: 'clear' }
const FAILED: Result = { decision: { state: 'pending', dueAt: 0 }, keyState: 'failing' }

function taskOf (name: string): Task {
  return {
    target: targetOf(1),
    orderingKey: `default:${name}`,
    eventId: { ms: 1, seq: 0 },
    type: 'completed',
    url: null,
    messageId: name,
    body: '{}',
    attempt: 1,
    acceptedAt: 0,
    dueAt: 0,
    waitingSince: 0,
    workerId: 1
  }
}

function responsive (): Endpoint {
  const endpoint = new Endpoint(targetOf(1), 10)
  endpoint.record({ startedAt: 0, outcome: { ok: true, durations: { totalMs: 1 } }, pausedUntil: undefined })
  return endpoint
}

/** A scheduler that sends nothing in these tests: runs only wait in it. */
const scheduler = createDeliveryScheduler({
  limits: { total: 0, perOrigin: 0 },
  progressLagMs: 1000,
  send: async () => DELIVERED,
  isStillOurs: () => true,
  onSlotFree: () => {},
  onError: err => { throw err }
})

function setup (names: string[]) {
  const batch = new Batch({ ms: 0, seq: 0 }, { ms: 1, seq: 0 })
  const endpoint = responsive()
  const tasks = names.map(taskOf)
  for (const task of tasks) batch.addTask(task, endpoint)
  return { batch, endpoint, tasks: tasks as [Task, Task] }
}

t.test('a batch is ready with the last outcome that it waits for, and not before all is planned', async t => {
  const batch = new Batch({ ms: 0, seq: 0 }, { ms: 1, seq: 0 })
  const endpoint = responsive()
  const [first, second] = [taskOf('1'), taskOf('2')]
  batch.addTask(first, endpoint)
  batch.setResult(first, released())
  t.equal(batch.isReady, false, 'it is still being filled')
  batch.addTask(second, endpoint)
  batch.close()
  t.equal(batch.isReady, false)
  t.equal(batch.unfinished, 1)
  batch.setResult(second, DELIVERED)
  await batch.ready
  t.equal(batch.isReady, true)
})

t.test('a batch does not wait for endpoints that have not answered quickly', async t => {
  const batch = new Batch({ ms: 0, seq: 0 }, { ms: 1, seq: 0 })
  batch.addTask(taskOf('1'), new Endpoint(targetOf(1), 10))
  batch.close()
  t.equal(batch.isReady, true)
})

t.test('a sealed batch has taken back its waiting runs, and is inserted as it was then', async t => {
  const { batch, endpoint, tasks: [waiting, sent] } = setup(['1', '2'])
  const run = createOrderedRun(endpoint, [waiting], (task, result) => { batch.setResult(task, result) })
  batch.addRun(run)
  scheduler.submit(run)
  batch.setResult(sent, DELIVERED)
  batch.close()
  batch.setResult(waiting, DELIVERED)
  await turn()
  const inserted = batch.seal(scheduler)
  t.equal(run.state, 'ended')
  t.match(inserted, [{ task: { messageId: '1' }, result: { decision: { state: 'pending' } } }, { result: DELIVERED }])
})

t.test('results that come during the write are kept for the rows, later ones are left to the caller', async t => {
  const { batch, tasks: [late, later] } = setup(['1', '2'])
  batch.close()
  for (const task of [late, later]) batch.setResult(task, released())
  batch.seal(scheduler)
  t.equal(batch.setResult(late, DELIVERED), true)
  const before = performance.now()
  t.same(batch.settle(), [{ task: late, result: DELIVERED }])
  t.equal(batch.setResult(later, DELIVERED), false)
  t.equal(batch.isVisibleAt(before - 1), false)
  t.equal(batch.isVisibleAt(performance.now()), true)
})

t.test('a failure blocks its ordering group for later batches, whenever it comes', async t => {
  const { batch, tasks: [early, later] } = setup(['1', '2'])
  batch.close()
  batch.setResult(early, FAILED)
  batch.setResult(later, DELIVERED)
  t.same([...batch.blocked], [[groupKeyOf(early), 'failing']])
  batch.seal(scheduler)
  batch.settle()
  batch.setResult(later, FAILED)
  t.same([...batch.blocked.keys()], [early, later].map(groupKeyOf), 'after its row was written too')
})
