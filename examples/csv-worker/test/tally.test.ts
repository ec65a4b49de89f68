import fc from 'fast-check'
import t from 'tap'
import { Tally } from '../src/tally.ts'

const ROOMY = { values: 1_000, characters: 100_000 }

t.test('counts are exact while all values fit', async t => {
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 3 })), values => {
    const tally = tallyOf(values, ROOMY)
    const exact = countsOf(values)

    t.equal(tally.capped, false)
    t.equal(tally.distinct, exact.size)
    t.same(new Map(tally.top(1_000).map(({ value, count }) => [value, count])), exact)
  }), { numRuns: 50 })
})

t.test('the most frequent values come first, equally frequent ones in the order of their text', async t => {
  const tally = tallyOf(['b', 'c', 'a', 'c'], ROOMY)
  t.same(tally.top(2), [{ value: 'c', count: 2 }, { value: 'a', count: 1 }])
})

t.test('above the bound a count is too low by at most total / bounds.values', async t => {
  const bounds = { values: 3, characters: 1_000 }
  fc.assert(fc.property(fc.array(fc.constantFrom(
    'a',
    'a',
    'a',
    'a',
    'b',
    'b',
    'b',
    'c',
    'd',
    'e',
    'f',
    'g',
    'h'
  )), values => {
    const tally = tallyOf(values, bounds)
    const kept = new Map(tally.top(100).map(({ value, count }) => [value, count]))
    const error = values.length / (bounds.values + 1)

    t.ok(kept.size <= bounds.values)
    t.equal(tally.capped, countsOf(values).size > bounds.values)
    t.equal(tally.distinct, Math.min(countsOf(values).size, bounds.values))
    for (const [value, count] of countsOf(values)) {
      const found = kept.get(value) ?? 0
      t.ok(found <= count && found >= count - error, `${value}: ${found} of ${count}, of ${values.length} in all`)
    }
  }), { numRuns: 50 })
})

t.test('long values are bounded by their total length', async t => {
  const tally = tallyOf(['x'.repeat(60), 'y'.repeat(60), 'short', 'short'], { values: 10, characters: 100 })
  t.equal(tally.capped, true)
  t.same(tally.top(10), [{ value: 'short', count: 2 }])
})

function tallyOf (values: string[], bounds: { values: number, characters: number }) {
  const tally = new Tally(bounds)
  for (const value of values) tally.add(value)
  return tally
}

function countsOf (values: string[]) {
  return new Map([...new Set(values)].map(value => [value, values.filter(other => other === value).length]))
}
