import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import type { TestContext } from '@tidings/testing'
import { setup } from '../setup.ts'
import { checkOutcomes, settings, untilPublished, untilSeen, type Ran } from './outcomes.ts'
import { QUEUES, separateIds, TRANSITIONS } from './table.ts'

const python = process.env.TIDINGS_TEST_PYTHON
const skip = !python && 'no Python with BullMQ: TIDINGS_TEST_PYTHON=true installs it'
const OURS = TRANSITIONS.filter(({ notInPython }) => notInPython === undefined)

type Line =
  | { names: string[] }
  | { name: string, ids?: Record<string, string>, error?: string }
  | { ask: 'published' | 'seen', number: number, queue: string, jobId: string, events: string }

t.test('each transition publishes the same with BullMQ for Python', { skip }, async t => {
  const { app, redis } = await setup(t, settings(QUEUES))
  await separateIds(app)
  const done = await perform(t, redis.url, app)
  const ran = OURS.flatMap((transition): Ran[] => {
    const { ids, error } = done.get(transition.name) ?? { error: 'transitions.py does not have it' }
    if (ids === undefined) t.fail(`${transition.name}: ${error}`)
    return ids === undefined ? [] : [{ transition, ids }]
  })
  await checkOutcomes(t, app, ran)
})

/**
 * Runs transitions.py, answers its requests, and resolves once it has reported each of its transitions. Transitions
 * that it does not have are missing in the result. It runs until the end of the test.
 */
async function perform (t: TestContext, url: string, app: FastifyInstance) {
  const child = spawn(python as string, [new URL('./transitions.py', import.meta.url).pathname, url], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let awaited = Infinity
  const done = new Map<string, { ids?: Record<string, string>, error?: string }>()
  // A processor may ask after its transition, and all others, have been reported: it is answered all the same.
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    createInterface({ input: child.stdout }).once('close', resolve).on('line', text => {
      const line = JSON.parse(text) as Line
      if ('names' in line) awaited = line.names.length
      else if ('name' in line) done.set(line.name, line)
      else answer(line).catch((err: Error) => { console.error(`python: ${err.message}`) })
      if (done.size === awaited) resolve()
    })
  })
  return done

  async function answer ({ ask, number, ...job }: Extract<Line, { ask: string }>) {
    // An event that is not published is missing at the end too: the other jobs of the transition continue meanwhile.
    await (ask === 'seen' ? untilSeen(app, job) : untilPublished(app, job)).finally(
      () => child.stdin.write(`${number}\n`)
    )
  }
}
