import t from 'tap'
import { oncePerId } from '../src/once-per-id.ts'

t.test('the work for an id runs once', async t => {
  const once = oncePerId(10)
  let runs = 0
  const work = () => { runs++ }
  await once('a', work)
  await once('a', work)
  t.equal(runs, 1)
  await once('b', work)
  t.equal(runs, 2)
})

t.test('a call while the work runs waits for its end', async t => {
  const once = oncePerId(10)
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const first = once('a', async () => { await gate.promise; order.push('work') })
  const second = once('a', () => { order.push('twice') }).then(() => order.push('answered'))
  gate.resolve()
  await Promise.all([first, second])
  t.same(order, ['work', 'answered'])
})

t.test('failed work runs again', async t => {
  const once = oncePerId(10)
  const failing = () => { throw new Error('database is away') }
  const first = once('a', failing)
  const meanwhile = once('a', () => { t.fail('ran beside the first') })
  await t.rejects(first, { message: 'database is away' })
  await t.rejects(meanwhile, { message: 'database is away' })

  let runs = 0
  await once('a', async () => { runs++ })
  t.equal(runs, 1)
})

t.test('the oldest ids are forgotten', async t => {
  const once = oncePerId(2)
  const ran: string[] = []
  for (const id of ['a', 'b', 'c', 'c', 'b', 'a']) await once(id, () => { ran.push(id) })
  t.same(ran, ['a', 'b', 'c', 'a'])
})
