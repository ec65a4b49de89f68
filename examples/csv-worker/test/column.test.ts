import t from 'tap'
import { Column } from '../src/column.ts'

const ROOMY = { values: 1_000, characters: 100_000 }

t.test('a column of numbers has a minimum, a maximum and a mean', async t => {
  t.same(summaryOf(['3', '', '-1.5', '4.5', '3']), {
    type: 'number',
    count: 4,
    nulls: 1,
    distinct: 3,
    capped: false,
    min: -1.5,
    max: 4.5,
    mean: 2.25,
    top: [{ value: '3', count: 2 }, { value: '-1.5', count: 1 }, { value: '4.5', count: 1 }]
  })
})

t.test('one cell that is not a number makes a column text', async t => {
  const summary = summaryOf(['1', '2', 'three'])
  t.equal(summary.type, 'text')
  t.notOk('mean' in summary)
})

t.test('a column of empty cells is empty', async t => {
  t.same(summaryOf(['', '']), { type: 'empty', count: 0, nulls: 2, distinct: 0, capped: false, top: [] })
})

t.test('recognises numbers', async t => {
  for (const cell of ['0', '-0', '+7', '12', '0.5', '.5', '5.', '1e3', '-2.5E-3']) {
    t.equal(summaryOf([cell]).type, 'number', cell)
  }
  for (const cell of ['00501', '1,000', ' 1', '0x10', 'NaN', 'Infinity', '1e999', '.', '-', '1'.repeat(41), '１']) {
    t.equal(summaryOf([cell]).type, 'text', cell)
  }
})

t.test('the mean neither overflows nor loses large numbers', async t => {
  t.equal(summaryOf(['1.7e308', '1.7e308', '1.7e308']).mean, 1.7e308)
})

t.test('a long value is shortened at a character boundary', async t => {
  const [top] = summaryOf(['x'.repeat(58) + '🙂🙂']).top
  t.equal(top?.value, 'x'.repeat(58) + '\uFFFD…')
  t.equal(top?.value.length, 60)
})

function summaryOf (cells: string[]) {
  const column = new Column(ROOMY)
  for (const cell of cells) column.add(cell)
  return column.summary(10)
}
