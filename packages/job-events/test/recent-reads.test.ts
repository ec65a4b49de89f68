import t from 'tap'
import { RecentReads, type EventId } from '../src/index.ts'

const id = (ms: number, seq = 0) => ({ ms, seq })

t.test('what was read are the ids from the start, and no others between them', async t => {
  const reads = new RecentReads()
  reads.startAt(id(5))
  for (const one of [id(6), id(6, 1), id(6, 2), id(8), id(8, 3), id(8, 4), id(6, 1), id(12)]) reads.note(one)
  const unread = (...ids: EventId[]) => ids.filter(one => reads.isUnread(one)).map(({ ms, seq }) => [ms, seq])
  t.same(unread(id(0), id(5), id(6), id(6, 1), id(6, 2), id(8), id(8, 3), id(8, 4), id(12)), [])
  const others = [id(5, 1), id(6, 3), id(7), id(8, 1), id(8, 2), id(8, 5), id(11), id(12, 1), id(20)]
  t.equal(unread(...others).length, others.length)

  t.notOk(reads.wasRepeated(id(7)))
  reads.noteRepeated(id(7))
  t.ok(reads.wasRepeated(id(7)))
  t.same(unread(id(7), id(11)), [[11, 0]], 'an end that came under another id')

  reads.skipTo(id(30))
  reads.note(id(31))
  t.same(unread(id(12), id(25), id(31)), [[25, 0]], 'not what lay in a gap')
  reads.skipTo(id(10))
  reads.note(id(11))
  t.same(unread(id(9), id(11), id(12)), [[12, 0]], 'ids that go back')
})

t.test('it is bounded: the oldest ids, ends and repetitions are forgotten', async t => {
  const reads = new RecentReads()
  reads.startAt(id(0))
  for (let ms = 2; ms <= 100_000; ms += 2) reads.note(id(ms))
  t.ok(reads.isUnread(id(99_999)))
  t.notOk(reads.isUnread(id(3)), 'what is below the oldest counts as read')
  const end = (n: number) => ({ queue: 'q', jobId: String(n), timestamp: 1 })
  for (let n = 1; n <= 5001; n++) reads.noteEnd(end(n), id(n))
  t.same([1, 2, 5001].map(n => reads.firstIdOf(end(n))), [undefined, id(2), id(5001)])
  for (let n = 1; n <= 50_001; n++) reads.noteRepeated(id(200_000 + n))
  t.same([1, 2, 50_001].map(n => reads.wasRepeated(id(200_000 + n))), [false, true, true])
})

t.test('an end is known by its queue, its job and its time', async t => {
  const reads = new RecentReads()
  const end = { queue: 'q', jobId: 'a:1', timestamp: 1 }
  reads.noteEnd(end, id(3))
  t.same(reads.firstIdOf({ ...end }), id(3))
  for (const other of [{ ...end, queue: 'p' }, { ...end, jobId: '1' }, { ...end, timestamp: 2 }]) {
    t.equal(reads.firstIdOf(other), undefined)
  }
})
