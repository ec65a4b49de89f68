import Fastify from 'fastify'
import t from 'tap'
import { createLoops, type RawSql } from '@tidings/service-kit'
import { until } from '@tidings/testing'
import { released, type Task } from '../../../src/delivery/attempt/task.ts'
import type { OutcomeEffects } from '../../../src/delivery/outcomes/outcome-effects.ts'
import type { InsertWrite } from '../../../src/delivery/outcomes/outcome-write.ts'
import { createOutcomeWriter } from '../../../src/delivery/outcomes/outcome-writer.ts'

const { log } = Fastify()
log.warn = () => {}

/** A writer whose first transaction never ends. */
function setup () {
  const loops = createLoops({ log })
  let transactions = 0
  const begin = async () => ++transactions === 1 ? await new Promise<never>(() => {}) : { rows: [], health: [] }
  const writer = createOutcomeWriter({
    sql: { begin } as unknown as RawSql,
    effects: { of: () => async () => [], syncHealth: () => {} } as unknown as OutcomeEffects,
    loops,
    log,
    onDue: () => {},
    timeoutMs: 10
  })
  return { writer, loops, transactions: () => transactions }
}

t.test('outcomes whose write never ends are written again', async t => {
  const { writer, loops, transactions } = setup()
  writer.update({ id: 1 } as Task, released())
  await until(() => /^outcomes of deliveries: no step has ended/.test(loops.fault() ?? ''))
  await writer.drain(60_000)
  t.equal(transactions(), 2)
  t.equal(loops.fault(), undefined)
})

t.test('new events whose write never ends are written again, with the fault for the stall of their shard', async t => {
  const { writer, transactions } = setup()
  const faults: (string | undefined)[] = []
  const shardWriter: InsertWrite['shardWriter'] = {
    mayRetry: () => true, onRefused: async () => {}, onFault: err => { faults.push(err?.name) }
  }
  const position = { ms: 1, seq: 0 }
  const written = await writer.insert({
    kind: 'insert', shard: 0, workerId: 1, from: position, to: position, events: [], tasks: [], shardWriter
  })
  t.ok(written)
  t.equal(transactions(), 2)
  t.same(faults, ['StepTimeout', undefined])
})
