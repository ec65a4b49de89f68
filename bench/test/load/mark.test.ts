import t from 'tap'
import { marked, readMark } from '../../src/load/mark.ts'

const empty = () => ({ run: 0, seq: 0, job: 0, at: 0 })

t.test('reads a mark from the bytes of a message', async t => {
  const mark = { run: 12, seq: 59_999, job: 199, at: 123_456_789_012 }
  const bytes = Buffer.from(`42["job:progress",${JSON.stringify({ jobId: '1', progress: marked(mark) })}]`)
  t.same(readMark(bytes, empty()), mark)
})

t.test('reads only between the given offsets', async t => {
  const first = JSON.stringify(marked({ run: 1, seq: 1, job: 1, at: 1 }))
  const second = JSON.stringify(marked({ run: 2, seq: 2, job: 2, at: 2 }))
  const bytes = Buffer.from(`${first}${second}`)
  t.equal(readMark(bytes, empty(), first.length)?.run, 2)
  t.equal(readMark(bytes, empty(), 0, 1), undefined)
})

t.test('returns undefined for bytes without a mark', async t => {
  t.equal(readMark(Buffer.from('42["session",{}]'), empty()), undefined)
})

t.test('a payload has about the requested size', async t => {
  const size = JSON.stringify(marked({ run: 1, seq: 2, job: 3, at: 4 }, 300)).length
  t.ok(Math.abs(size - 300) <= 2, `${size} bytes`)
})
