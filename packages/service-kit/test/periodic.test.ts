import t from 'tap'
import { until } from '@tidings/testing'
import { createLoops, runPeriodically, startPeriodicTasks } from '../src/index.ts'

const loops = createLoops({ log: { error () {} } })
const silent = { log: { warn () {}, debug () {} }, loops }

t.test('a task runs again after each pause, never beside itself, until the signal aborts', async t => {
  const stopping = new AbortController()
  let [runs, running] = [0, 0]
  const ended = runPeriodically({
    name: 'count',
    everyMs: 1,
    run: async () => {
      t.equal(++running, 1)
      await new Promise(setImmediate)
      running--
      if (++runs === 5) stopping.abort()
    }
  }, { signal: stopping.signal, ...silent })
  await ended
  t.equal(runs, 5)
})

t.test('a run that leaves work is followed by the next at once', async t => {
  let runs = 0
  const tasks = startPeriodicTasks([{ name: 'drain', everyMs: 60_000, run: async () => ++runs < 4 }], silent)
  await until(() => runs === 4)
  await tasks.stop()
  t.equal(runs, 4)
})

t.test('a failure is logged as a warning, the next in a row at debug, and the task goes on', async t => {
  const lines: string[] = []
  const log = { warn: () => { lines.push('warn') }, debug: () => { lines.push('debug') } }
  let runs = 0
  const run = async () => {
    runs++
    if (runs !== 3) throw new Error('failed')
  }
  const tasks = startPeriodicTasks([{ name: 'fail', everyMs: 1, run }], { log, loops })
  await until(() => runs >= 4)
  await tasks.stop()
  t.same(lines.slice(0, 3), ['warn', 'debug', 'warn'])
})

t.test('a stop waits for the run in progress, and starts no other', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const started: string[] = []
  const tasks = startPeriodicTasks([
    { name: 'slow', everyMs: 1, run: async () => { started.push('slow'); await promise } },
    { name: 'later', everyMs: 1, startsAfterMs: 60_000, run: async () => { started.push('later') } }
  ], silent)
  await until(() => started.length === 1)
  let hasStopped = false
  const stopped = tasks.stop().then(() => { hasStopped = true })
  await new Promise(setImmediate)
  t.notOk(hasStopped)
  resolve()
  await stopped
  t.same(started, ['slow'])
})

t.test('a run that never ends is given up with its signal, and the task goes on', async t => {
  const signals: AbortSignal[] = []
  const tasks = startPeriodicTasks([{
    name: 'hang',
    everyMs: 1,
    timeoutMs: 5,
    run: async ({ signal }) => {
      signals.push(signal)
      if (signals.length < 3) await new Promise(() => {})
    }
  }], silent)
  await until(() => signals.length >= 3)
  t.same(signals.slice(0, 3).map(({ aborted }) => aborted), [true, true, false])
  t.equal(loops.fault(), undefined, 'it works again')
  await tasks.stop()
})

t.test('a stop waits for a run that never ends until that is given up', async t => {
  let runs = 0
  const run = async () => {
    runs++
    await new Promise(() => {})
  }
  const tasks = startPeriodicTasks([{ name: 'hang at the end', everyMs: 1, timeoutMs: 20, run }], silent)
  await until(() => runs === 1)
  await tasks.stop()
  t.equal(runs, 1)
  t.equal(loops.fault(), undefined)
})
