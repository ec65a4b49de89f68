import t from 'tap'
import { ratios, spread } from '../../src/figures/ratio.ts'

t.test('a ratio is taken pair by pair', async t => {
  // The medians' own ratio would be 10 / 4 = 2.5; in each pair it was 2.
  t.same(ratios([8, 10, 40], [4, 5, 20]), { median: 2, min: 2, max: 2 })
})

t.test('a figure without its other half is left out', async t => {
  t.same(ratios([2, 4, 100], [1, 1]), { median: 3, min: 2, max: 4 })
})

t.test('a spread has the median, the minimum and the maximum', async t => {
  t.same(spread([3, 1, 2]), { median: 2, min: 1, max: 3 })
})
