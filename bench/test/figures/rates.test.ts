import t from 'tap'
import { middleRate } from '../../src/figures/rates.ts'

t.test('the rate is measured over the middle four fifths', async t => {
  t.equal(middleRate(1_000, { tenth: 1_000_000, ninetieth: 1_800_000 }), 1_000)
})

t.test('there is no rate when too few events arrived', async t => {
  t.ok(Number.isNaN(middleRate(1_000, { tenth: 1_000_000, ninetieth: 0 })))
})
