import t from 'tap'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from '@tidings/testing'
import type { AttemptOutcome } from '../../../src/egress/outcome.ts'
import { Endpoint } from '../../../src/delivery/scheduler/endpoint.ts'
import { createDeliveryScheduler } from '../../../src/delivery/scheduler/delivery-scheduler.ts'
import { LatencyAverage } from '../../../src/delivery/scheduler/latency-average.ts'
import { createOrderedRun } from '../../../src/delivery/scheduler/ordered-run.ts'
import type { Result, Task } from '../../../src/delivery/attempt/task.ts'
import { targetOf } from '../target.ts'

const TARGET = targetOf(1)
const OK: AttemptOutcome = { ok: true, status: 200, durations: { totalMs: 1 } }
const FAILED: AttemptOutcome = { ok: false, status: 500, errorClass: 'http-5xx', durations: { totalMs: 1 } }

type TaskOptions = { progressMode?: 'all' | 'latest', type?: string, age?: number }

function taskOf (name: string, { progressMode = 'all', type = 'completed', age = 0 }: TaskOptions = {}): Task {
  return {
    target: { ...TARGET, progress_mode: progressMode },
    orderingKey: 'default:1',
    eventId: { ms: 0, seq: 0 },
    type,
    url: null,
    messageId: name,
    body: '{}',
    attempt: 1,
    acceptedAt: 0,
    dueAt: 0,
    waitingSince: performance.now() - age,
    workerId: 1
  }
}

/** A scheduler whose requests the test answers. */
function setup ({ total = 10, perOrigin = 10 } = {}) {
  const posted: string[] = []
  const open = new Map<string, (result: Result) => void>()
  const results: [string, string][] = []
  const scheduler = createDeliveryScheduler({
    limits: { total, perOrigin },
    progressLagMs: 5000,
    send: task => new Promise(resolve => {
      posted.push(task.messageId)
      open.set(task.messageId, resolve)
    }),
    isStillOurs: () => true,
    onSlotFree: () => {},
    onError: err => { throw err }
  })
  async function answer (name: string, outcome: AttemptOutcome): Promise<void> {
    const decision = outcome.ok ? { state: 'delivered' as const } : { state: 'pending' as const, dueAt: 0 }
    open.get(name)?.({
      decision, keyState: outcome.ok ? 'clear' : 'failing', attempt: { startedAt: 0, outcome, pausedUntil: undefined }
    })
    await turn()
  }
  const submit = (endpoint: Endpoint, ...tasks: Task[]) => {
    const run = createOrderedRun(
      endpoint, tasks, (task, result) => { results.push([task.messageId, result.decision.state]) }
    )
    scheduler.submit(run)
    return run
  }
  return { scheduler, posted, results, answer, submit }
}

function endpointOf (id: number, url = `http://${id}.test`, pace = patient()): Endpoint {
  return new Endpoint({ id, url }, 10, pace)
}

/** Of a process where all are slow: nobody is late because this machine is busy. */
function patient (): LatencyAverage {
  const pace = new LatencyAverage()
  pace.add(60_000)
  return pace
}

/** An endpoint that has answered. */
function proven (id: number, url?: string, pace?: LatencyAverage): Endpoint {
  const endpoint = endpointOf(id, url, pace)
  endpoint.record({ startedAt: 0, outcome: OK, pausedUntil: undefined })
  return endpoint
}

/** An endpoint that takes long for an answer. */
function slow (id: number): Endpoint {
  const endpoint = endpointOf(id)
  for (let i = 0; i < 10; i++) {
    endpoint.record({ startedAt: 0, outcome: { ...OK, durations: { totalMs: 2000 } }, pausedUntil: undefined })
  }
  return endpoint
}

t.test('a run is sent task by task, and a failure releases the rest', async t => {
  const { posted, results, answer, submit } = setup()
  submit(new Endpoint(TARGET, 10), taskOf('a'), taskOf('b'), taskOf('c'))
  t.same(posted, ['a'])
  await answer('a', OK)
  t.same(posted, ['a', 'b'])
  await answer('b', FAILED)
  t.same(results, [['a', 'delivered'], ['b', 'pending'], ['c', 'pending']])
  t.same(posted, ['a', 'b'])
})

t.test('a new endpoint gets two attempts at a time, one more after each success, half after a failure', async t => {
  const { posted, answer, submit } = setup()
  const endpoint = new Endpoint(TARGET, 4)
  for (const name of 'abcdefgh') submit(endpoint, taskOf(name))
  t.equal(posted.length, 2)
  await answer('a', OK)
  t.equal(posted.length, 4)
  await answer('b', OK)
  await answer('c', OK)
  t.equal(endpoint.concurrency, 4)
  t.equal(endpoint.inFlight, 4)
  await answer('d', FAILED)
  t.equal(endpoint.concurrency, 2)
  t.equal(posted.length, 7, 'none begins before there is room again')
})

t.test('after throttling, the concurrency of an endpoint grows slowly', async t => {
  const endpoint = endpointOf(1)
  const note = (ok: boolean) => endpoint.record({
    startedAt: 0, outcome: ok ? OK : { ...FAILED, status: 429 }, pausedUntil: ok ? undefined : 1
  })
  for (let i = 0; i < 8; i++) note(true)
  t.equal(endpoint.concurrency, 10)
  const windowsAfter = (refused: number) => {
    for (let i = 0; i < refused; i++) note(false)
    return Array.from({ length: 7 }, () => {
      const { concurrency } = endpoint
      note(true)
      return concurrency
    })
  }
  t.same(windowsAfter(10), [1, 2, 3, 4, 5, 5, 5], 'quickly up to half')
  t.same(windowsAfter(5), [1, 2, 3, 3, 3, 3, 4])
  t.same(windowsAfter(4), [1, 2, 3, 3, 3, 3, 4])
})

t.test('endpoints that fail or have not answered yet share half of the slots', async t => {
  const { posted, submit } = setup({ total: 6 })
  for (let id = 1; id <= 3; id++) {
    const failing = endpointOf(id)
    failing.syncHealth({ failures: 1, open_until: 0 })
    submit(failing, taskOf(`failing-${id}`))
    submit(endpointOf(10 + id), taskOf(`unknown-${id}`))
  }
  submit(proven(9), taskOf('proven'))
  t.same(posted, ['failing-1', 'unknown-1', 'failing-2', 'proven'])
})

t.test('unproven endpoints share half of the slots of an origin too', async t => {
  const { posted, answer, submit } = setup({ total: 100, perOrigin: 4 })
  const url = 'http://vendor.test'
  for (let id = 1; id <= 5; id++) submit(endpointOf(id, url), taskOf(`unknown-${id}`))
  for (let id = 6; id <= 8; id++) submit(proven(id, url), taskOf(`proven-${id}`))
  t.same(posted, ['unknown-1', 'unknown-2', 'proven-6', 'proven-7'])
  await answer('proven-6', OK)
  t.same(posted.slice(4), ['proven-8'], 'their half stays free for the others')
  await answer('unknown-2', OK)
  t.same(posted.slice(5), ['unknown-3'])
})

t.test('a healthy endpoint that turns slow counts against the half of the unproven', async t => {
  const { posted, answer, submit } = setup({ total: 4 })
  const late = proven(1, undefined, new LatencyAverage())
  for (const name of ['late-1', 'late-2']) submit(late, taskOf(name))
  await until(() => late.isUnproven, { what: 'its being late' })
  submit(endpointOf(2), taskOf('unknown'))
  t.same(posted, ['late-1', 'late-2'])
  await answer('late-1', OK)
  await answer('late-2', OK)
  t.same(posted.slice(2), ['unknown'])
})

t.test('endpoints take turns, and an origin has a limit', async t => {
  const { posted, answer, submit } = setup({ total: 1, perOrigin: 1 })
  const [a, b] = [endpointOf(1), endpointOf(2)]
  for (const name of ['a1', 'a2', 'a3']) submit(a, taskOf(name))
  submit(b, taskOf('b1'))
  for (const name of ['a1', 'a2', 'b1', 'a3']) await answer(name, OK)
  t.ok(posted.indexOf('b1') < posted.indexOf('a3'))
  t.equal(posted.length, 4)
})

t.test('progressMode latest supersedes progress by newer progress', async t => {
  const { posted, results, answer, submit } = setup()
  const latest = (name: string, type = 'progress') => taskOf(name, { progressMode: 'latest', type })
  submit(new Endpoint(TARGET, 10), latest('1'), latest('2'), latest('3'), latest('end', 'completed'))
  await turn()
  await answer('3', OK)
  await answer('end', OK)
  t.same(posted, ['3', 'end'])
  t.same(results, [['1', 'superseded'], ['2', 'superseded'], ['3', 'delivered'], ['end', 'delivered']])
})

t.test('lagging progress at a slow endpoint is superseded by newer progress only', async t => {
  const { posted, results, answer, submit } = setup()
  const aged = (name: string, type = 'progress') => taskOf(name, { age: 6000, type })
  submit(slow(1), aged('1'), aged('2'), taskOf('3', { type: 'progress' }), aged('end', 'completed'))
  await turn()
  for (const name of ['3', 'end']) await answer(name, OK)
  t.same(posted, ['3', 'end'])
  t.same(results, [['1', 'superseded'], ['2', 'superseded'], ['3', 'delivered'], ['end', 'delivered']])
})

t.test('progress that does not lag, or goes to a quick endpoint, is sent', async t => {
  const { posted, answer, submit } = setup()
  submit(slow(1), taskOf('fresh-1', { type: 'progress', age: 4000 }), taskOf('fresh-2', { type: 'progress' }))
  submit(
    proven(2),
    taskOf('quick-1', { type: 'progress', age: 60_000 }),
    taskOf('quick-2', { type: 'progress', age: 60_000 })
  )
  for (const name of ['fresh-1', 'quick-1']) await answer(name, OK)
  t.same(posted.sort(), ['fresh-1', 'fresh-2', 'quick-1', 'quick-2'])
})

t.test('a run that has not started can be withdrawn, and none starts after the close', async t => {
  const { scheduler, posted, results, answer, submit } = setup({ total: 1 })
  const endpoint = new Endpoint(TARGET, 10)
  submit(endpoint, taskOf('a'), taskOf('a2'))
  const waiting = submit(endpoint, taskOf('b'))
  submit(endpoint, taskOf('c'))
  scheduler.withdraw(waiting)
  t.same(results, [['b', 'pending']])
  scheduler.close()
  t.same(results, [['b', 'pending'], ['c', 'pending']])
  const idle = scheduler.idle()
  await answer('a', OK)
  await idle
  t.same(posted, ['a'])
  t.same(results.slice(2), [['a', 'delivered'], ['a2', 'pending']])
})
