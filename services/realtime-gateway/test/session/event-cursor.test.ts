import fc from 'fast-check'
import t from 'tap'
import { newest, ZERO, type EventId } from '@tidings/job-events'
import { EventCursor } from '../../src/session/event-cursor.ts'
import { Frame } from '../../src/session/frame.ts'
import { Message } from '../../src/session/message.ts'

const id = (seq: number): EventId => ({ ms: 1, seq })
const message = (seq: number) => new Message({ id: id(seq) }, { jobId: 'a', queue: 'default', timestamp: 0 }, new Frame('job:progress', String(seq)))

function setup (bounds = { events: 100, bytes: 10_000 }) {
  const told: number[] = []
  const tail = { position: ZERO }
  const cursor = new EventCursor({ tail, bufferLimits: bounds }, ({ id }) => { told.push(id.seq) })
  /** The tail reads an event: it is handed out, then its position moves. */
  const read = (seq: number) => {
    cursor.take(message(seq))
    tail.position = id(seq)
  }
  return { cursor, told, tail, read }
}

t.test('it holds at first, and tells what it held when it is released', async t => {
  const { cursor, told, read } = setup()
  read(1)
  read(2)
  t.same(told, [])
  cursor.flush()
  read(3)
  t.same(told, [1, 2, 3])
})

t.test('nothing at or below its position is told', async t => {
  const { cursor, told, read } = setup()
  cursor.position = id(2)
  for (const seq of [1, 2, 3]) read(seq)
  cursor.flush()
  read(3)
  t.same(told, [3])
})

t.test('it lets go of all when more comes than may wait, and holds anew', async t => {
  const { cursor, told, read, tail } = setup({ events: 2, bytes: 10_000 })
  for (const seq of [1, 2, 3]) read(seq)
  t.ok(cursor.overflowed)
  cursor.startBuffering()
  t.notOk(cursor.overflowed)
  t.same(cursor.bufferedSince, tail.position)
  read(4)
  cursor.position = cursor.bufferedSince
  cursor.flush()
  t.same(told, [4])
})

t.test('however holding, reading the history and the tail fall together, each event is told once and in order', async () => {
  fc.assert(fc.property(
    fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 8 }),
    (before, since, duringFirst, duringNext, limit) => {
      const { cursor, told, read } = setup({ events: limit, bytes: 10_000 })
      let last = 0
      const go = (count: number) => { for (let i = 0; i < count; i++) read(++last) }
      go(before)
      cursor.startBuffering()
      // What resume does, with the tail going on while it reads; a client may even be ahead of the tail.
      cursor.position = id(since)
      for (let during = duringFirst; ; during = Math.min(duringNext, limit)) {
        const until = cursor.bufferedSince
        go(during)
        for (let seq = cursor.position.seq + 1; seq <= until.seq; seq++) cursor.deliver(message(seq))
        cursor.position = newest(cursor.position, until)
        if (!cursor.overflowed) break
        cursor.startBuffering()
      }
      cursor.flush()
      go(30)
      const expected = Array.from({ length: Math.max(0, last - since) }, (_, i) => since + i + 1)
      return JSON.stringify(told) === JSON.stringify(expected)
    }
  ))
})
