import t from 'tap'
import { isolate } from '../../src/bad-items/isolate.ts'

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
