import t from 'tap'
import { Repetitions } from '../src/index.ts'

const id = (ms: number) => ({ ms, seq: 0 })
const entry = (ms: number, repeats?: number) => ({ id: id(ms), ...(repeats !== undefined && { repeats: id(repeats) }) })

t.test('what a reader had not read before a loss stays unread until it is repeated, however late', async t => {
  const repetitions = new Repetitions()
  repetitions.begin([entry(1), entry(2)], id(0))
  t.ok(repetitions.isUnread(id(9)))
  repetitions.begin([entry(20, 8), entry(21, 4), entry(22)], id(5))
  const unread = (...ids: number[]) => ids.filter(ms => repetitions.isUnread(id(ms)))
  t.same(unread(4, 5, 6, 8), [6, 8])
  repetitions.note(id(8))
  repetitions.begin([entry(23)], id(22))
  repetitions.begin([entry(24, 6), entry(25, 8)], id(23))
  t.same(unread(4, 5, 6, 8), [6], 'of another queue, after new events')
  t.ok(repetitions.wasRepeated(id(8)))
  repetitions.note(id(6))
  repetitions.begin([entry(24, 6)], id(23)) // read again
  t.same(unread(6, 8), [])

  repetitions.begin([entry(26), entry(40, 30), entry(41, 26)], id(25))
  t.same(unread(8, 26, 30), [30], 'after the next loss')
})
