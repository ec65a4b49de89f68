import t from 'tap'
import { formatCursor, parseCursor } from '../../src/read/cursor.ts'

t.test('a cursor is parsed as it was formatted', async t => {
  for (const order of ['created', 'finished', 'arrival'] as const) {
    const cursor = { key: 1_640_995_200_000, n: 123, page: 4, order }
    t.same(parseCursor(formatCursor(cursor)), cursor)
    t.match(formatCursor(cursor), /^[\w-]+$/, 'and needs no escaping in a URL')
  }
})

t.test('a cursor of earlier releases is one of the order of creation, which they read too', async t => {
  const former = Buffer.from('[1,1640995200000,123,4]').toString('base64url')
  const cursor = { key: 1_640_995_200_000, n: 123, page: 4, order: 'created' } as const
  t.same(parseCursor(former), cursor)
  t.equal(formatCursor(cursor), former)
})

t.test('any other text is not a cursor', async t => {
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const text of [
    '', 'x', '%%%', encoded(null), encoded([1, 2, 3]), encoded([9, 1, 1, 1]), encoded([1, '1', 1, 1]),
    encoded([1, -1, 1, 1]), encoded([1, 1e30, 1, 1]), encoded({ n: 1 }), encoded([1, 1, 1, 1, 'name']),
    encoded([1, 1, 1, 1, 'finished', 1])
  ]) {
    t.equal(parseCursor(text), undefined, text)
  }
})
