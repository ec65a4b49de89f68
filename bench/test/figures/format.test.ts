import t from 'tap'
import { figure, goalText, times } from '../../src/figures/format.ts'

t.test('a figure has three significant digits', async t => {
  t.equal(figure(12_345.6), '12,346')
  t.equal(figure(1.2345), '1.23')
  t.equal(figure(0.0123), '0.0123')
  t.equal(figure(99.96), '100')
  t.equal(figure(0), '0')
  t.equal(figure(NaN), '–')
})

t.test('a ratio shows its minimum and maximum', async t => {
  t.equal(times({ median: 2, min: 1.5, max: 2.25 }), '2× (1.5–2.25)')
})

t.test('a goal names what it refers to', async t => {
  t.equal(goalText({ of: 'limit', atLeast: 0.5 }), '≥ 0.5× limit')
  t.equal(goalText({ of: 'ours', atMost: 36 }), '≤ 36')
})
