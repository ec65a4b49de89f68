import t from 'tap'
import { isolate } from '../../src/bad-items/isolate.ts'
import { isItemFault, isRefusedByBullMQ } from '../../src/bad-items/item-fault.ts'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

t.test('bad items are found by halving and skipped; all others are processed in order', async t => {
  const bad: number[] = []
  let tries = 0
  const done = await isolate(upTo(200), async items => {
    tries++
    if (items.some(item => item === 3 || item === 150)) throw new TypeError('bad')
    return items
  }, { onBad: item => { bad.push(item) } })
  t.same(bad, [3, 150])
  t.same(done, upTo(200).filter(item => item !== 3 && item !== 150))
  t.ok(tries < 40, `${tries} tries`)
})

t.test('an error that is not an item\'s fault is thrown', async t => {
  await t.rejects(
    isolate([1, 2], async () => { throw new Error('The projection is behind') }, {
      onBad: () => { t.fail('skipped') }
    }),
    /behind/
  )
})

t.test('faults of items are distinguished from faults of stores', async t => {
  const postgres = (code: string) => Object.assign(new Error('refused'), { code })
  for (const err of [
    postgres('22021'), postgres('22P02'), postgres('23514'), postgres('54001'), postgres('UNDEFINED_VALUE'),
    new RangeError('deep'), new Error('WRONGTYPE Operation')
  ]) {
    t.ok(isItemFault(err), err.message)
  }
  for (const err of [
    postgres('57014'), postgres('40001'), postgres('42703'), postgres('53100'), postgres('25006'),
    postgres('ECONNREFUSED'), postgres('CONNECTION_CLOSED'), new Error('LOADING'), 'a text'
  ]) {
    t.notOk(isItemFault(err), String(err))
  }
  t.ok(isRefusedByBullMQ(new Error('Priority should be between 0 and 2097151')))
  for (const err of [
    new Error('Connection is closed.'), new Error('Stream isn\'t writeable and enableOfflineQueue options is false'),
    new Error('Command timed out'), new Error('OOM command not allowed'), postgres('ECONNRESET')
  ]) {
    t.notOk(isRefusedByBullMQ(err), err.message)
  }
})
