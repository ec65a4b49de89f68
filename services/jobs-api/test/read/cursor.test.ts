import t from 'tap'
import { formatCursor, parseCursor } from '../../src/read/cursor.ts'

t.test('a cursor is parsed as it was formatted', async t => {
  const cursor = { createdMs: 1_640_995_200_000, n: 123, page: 4 }
  t.same(parseCursor(formatCursor(cursor)), cursor)
  t.match(formatCursor(cursor), /^[\w-]+$/, 'and needs no escaping in a URL')
})

t.test('any other text is not a cursor', async t => {
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const text of [
    '', 'x', '%%%', encoded(null), encoded([1, 2, 3]), encoded([9, 1, 1, 1]), encoded([1, '1', 1, 1]),
    encoded([1, -1, 1, 1]), encoded([1, 1e30, 1, 1]), encoded({ n: 1 })
  ]) {
    t.equal(parseCursor(text), undefined, text)
  }
})
