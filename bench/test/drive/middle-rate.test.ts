import t from 'tap'
import { middleRate } from '../../src/drive/middle-rate.ts'

t.test('the rate is that of the middle four fifths', async t => {
  t.equal(middleRate(1_000, { tenth: 1_000_000, ninetieth: 1_800_000 }), 1_000)
})

t.test('where too few arrived there is no rate', async t => {
  t.ok(Number.isNaN(middleRate(1_000, { tenth: 1_000_000, ninetieth: 0 })))
})
