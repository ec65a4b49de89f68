import fc from 'fast-check'
import t from 'tap'
import { newest, ZERO, type EventId } from '@tidings/job-events'
import { Feed } from '../../src/session/feed.ts'
import { Frame } from '../../src/session/frame.ts'
import { Message } from '../../src/session/message.ts'

const id = (seq: number): EventId => ({ ms: 1, seq })
const message = (seq: number) => new Message({ id: id(seq) }, { jobId: 'a', queue: 'default', timestamp: 0 }, new Frame('job:progress', String(seq)))

function setup (bounds = { events: 100, bytes: 10_000 }) {
  const told: number[] = []
  const tail = { position: ZERO }
  const feed = new Feed({ tail, held: bounds }, ({ id }) => { told.push(id.seq) })
  /** The tail reads an event: it is handed out, then its position moves. */
  const read = (seq: number) => {
    feed.take(message(seq))
    tail.position = id(seq)
  }
  return { feed, told, tail, read }
}

t.test('it holds at first, and tells what it held when it is released', async t => {
  const { feed, told, read } = setup()
  read(1)
  read(2)
  t.same(told, [])
  feed.release()
  read(3)
  t.same(told, [1, 2, 3])
})

t.test('nothing at or below its position is told', async t => {
  const { feed, told, read } = setup()
  feed.position = id(2)
  for (const seq of [1, 2, 3]) read(seq)
  feed.release()
  read(3)
  t.same(told, [3])
})

t.test('it lets go of all when more comes than may wait, and holds anew', async t => {
  const { feed, told, read, tail } = setup({ events: 2, bytes: 10_000 })
  for (const seq of [1, 2, 3]) read(seq)
  t.ok(feed.overflowed)
  feed.hold()
  t.notOk(feed.overflowed)
  t.same(feed.heldFrom, tail.position)
  read(4)
  feed.position = feed.heldFrom
  feed.release()
  t.same(told, [4])
})

t.test('however holding, reading the history and the tail fall together, each event is told once and in order', async () => {
  fc.assert(fc.property(
    fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 8 }),
    (before, since, duringFirst, duringNext, limit) => {
      const { feed, told, read } = setup({ events: limit, bytes: 10_000 })
      let last = 0
      const go = (count: number) => { for (let i = 0; i < count; i++) read(++last) }
      go(before)
      feed.hold()
      // What resume does, with the tail going on while it reads; a client may even be ahead of the tail.
      feed.position = id(since)
      for (let during = duringFirst; ; during = Math.min(duringNext, limit)) {
        const until = feed.heldFrom
        go(during)
        for (let seq = feed.position.seq + 1; seq <= until.seq; seq++) feed.tell(message(seq))
        feed.position = newest(feed.position, until)
        if (!feed.overflowed) break
        feed.hold()
      }
      feed.release()
      go(30)
      const expected = Array.from({ length: Math.max(0, last - since) }, (_, i) => since + i + 1)
      return JSON.stringify(told) === JSON.stringify(expected)
    }
  ))
})
