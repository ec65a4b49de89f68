import { mock } from 'node:test'
import Fastify from 'fastify'
import t from 'tap'
import { until } from '@tidings/testing'
import { createLoops, health, loops, metrics, StepTimeout } from '../src/index.ts'

const never = () => new Promise<never>(() => {})

/** Loops whose lines in the log a test reads. */
function setup () {
  const lines: object[] = []
  const given: string[] = []
  const log = { error: (fields: object) => { lines.push(fields) } }
  const all = createLoops({ log, onTimeout: name => given.push(name) })
  return { all, lines, given }
}

t.test('a step that never ends is given up, and the loop counts as stalled until one of its steps ends', async t => {
  const { all, lines, given } = setup()
  const loop = all.watch('outbox of default', 5)
  await t.rejects(loop.step(never), StepTimeout)
  t.match(all.fault(), /^outbox of default: no step has ended for \d+ s$/)
  await t.rejects(loop.step(never), { message: 'A step did not end within 0.005 s and was given up' })
  t.same(given, ['outbox of default', 'outbox of default'])
  t.match(lines[1], { loop: 'outbox of default', seconds: Number })
  await t.rejects(loop.step(async () => { throw new Error('Postgres is away') }), { message: 'Postgres is away' })
  t.equal(all.fault(), undefined, 'a failure is an end, too')
  t.equal(given.length, 2)
})

t.test('the outcome of a step passes, and it may be as long as it shows that it is alive', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { all } = setup()
  const loop = all.watch('retention', 100)
  const { promise, resolve } = Promise.withResolvers<string>()
  let showAlive = () => {}
  const outcome = loop.step(async alive => {
    showAlive = alive
    return await promise
  })
  for (let page = 0; page < 5; page++) {
    mock.timers.tick(90)
    showAlive()
  }
  resolve('done')
  t.equal(await outcome, 'done')
  t.same(all.silences(), [['retention', 0]])
  const next = loop.step(never)
  mock.timers.tick(100)
  await t.rejects(next, StepTimeout)
})

t.test('what is left of a step that was given up keeps nothing alive', async t => {
  const { all } = setup()
  const loop = all.watch('bulk', 5)
  let showAlive = () => {}
  await t.rejects(loop.step(async alive => {
    showAlive = alive
    return await never()
  }), StepTimeout)
  showAlive()
  t.match(all.fault(), /^bulk: /)
})

t.test('a loop that ends is no longer reported, and neither is the former one of its name', async t => {
  const { all } = setup()
  const loop = all.watch('projection', 5)
  await t.rejects(loop.step(never), StepTimeout)
  loop.end()
  t.equal(all.fault(), undefined)
  await t.rejects(loop.step(never), StepTimeout)
  all.watch('projection')
  t.equal(all.fault(), undefined)
})

t.test('a stalled loop makes the service unready with its name, and its metrics say for how long', async t => {
  const app = Fastify()
  app.register(metrics)
  app.register(health)
  app.register(loops)
  await app.ready()
  t.teardown(() => app.close())
  const loop = app.loops.watch('due deliveries', 5)
  t.equal((await app.inject('/readyz')).statusCode, 200)
  await t.rejects(loop.step(never), StepTimeout)
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 503)
  t.match(answer.json(), { faults: { loops: /^due deliveries: no step has ended for \d+ s$/ } })
  const text = (await app.inject('/metrics')).body
  t.match(text, /^tidings_loop_steps_given_up_total{loop="due deliveries"} 1$/m)
  t.match(text, /^tidings_loop_silent_seconds{loop="due deliveries"} 0\.\d+$/m)
  await loop.step(async () => {})
  await until(async () => (await app.inject('/readyz')).statusCode === 200)
})
