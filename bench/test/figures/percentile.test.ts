import t from 'tap'
import { median, percentile } from '../../src/figures/percentile.ts'

t.test('a percentile is the smallest value with that share at or below it', async t => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  t.equal(percentile(values, 0.5), 50)
  t.equal(percentile(values, 0.99), 99)
  t.equal(percentile(values, 1), 100)
  t.equal(percentile([7], 0.99), 7)
})

t.test('percentile does not reorder its input', async t => {
  const values = [3, 1, 2]
  percentile(values, 0.5)
  t.same(values, [3, 1, 2])
})

t.test('sorts numerically', async t => {
  t.equal(percentile([9, 10, 100], 1), 100)
  t.equal(median([10, 9, 100]), 10)
})

t.test('the median of an even number of values is the mean of the two in the middle', async t => {
  t.equal(median([1, 2, 3, 10]), 2.5)
  t.equal(median([5]), 5)
})

t.test('the percentile of no values is NaN', async t => {
  t.ok(Number.isNaN(percentile([], 0.5)))
  t.ok(Number.isNaN(median([])))
})
