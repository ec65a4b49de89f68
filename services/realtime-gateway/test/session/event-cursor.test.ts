import fc from 'fast-check'
import t from 'tap'
import { newest, ZERO, type EventId } from '@tidings/job-events'
import { EventCursor } from '../../src/session/event-cursor.ts'
import { Frame } from '../../src/session/frame.ts'
import { Message } from '../../src/session/message.ts'

const id = (seq: number): EventId => ({ ms: 1, seq })
const message = (seq: number) => new Message(
  { id: id(seq) }, { jobId: 'a', queue: 'default', timestamp: 0 }, new Frame('job:progress', String(seq))
)

function setup (bounds = { events: 100, bytes: 10_000 }) {
  const delivered: number[] = []
  /** What the tail knows of ends that may have been published before. */
  const firstIds = new Map<number, EventId>()
  const tail = {
    position: ZERO,
    identify: (message: Message) => { message.repeats ??= firstIds.get(message.id.seq) }
  }
  const cursor = new EventCursor({ tail, bufferLimits: bounds }, ({ id }) => { delivered.push(id.seq) })
  /** The tail reads an event: it delivers it, then its position moves. */
  const read = (seq: number) => {
    cursor.take(message(seq))
    tail.position = id(seq)
  }
  return { cursor, delivered, tail, read, firstIds }
}

t.test('it buffers at first, and delivers the buffered events when it is flushed', async t => {
  const { cursor, delivered, read } = setup()
  read(1)
  read(2)
  t.same(delivered, [])
  cursor.flush()
  read(3)
  t.same(delivered, [1, 2, 3])
})

t.test('nothing at or below its position is delivered', async t => {
  const { cursor, delivered, read } = setup()
  cursor.position = id(2)
  for (const seq of [1, 2, 3]) read(seq)
  cursor.flush()
  read(3)
  t.same(delivered, [3])
})

t.test('it drops all buffered events on overflow, and can start again', async t => {
  const { cursor, delivered, read, tail } = setup({ events: 2, bytes: 10_000 })
  for (const seq of [1, 2, 3]) read(seq)
  t.ok(cursor.overflowed)
  cursor.startBuffering()
  t.notOk(cursor.overflowed)
  t.same(cursor.bufferedSince, tail.position)
  read(4)
  cursor.position = cursor.bufferedSince
  cursor.flush()
  t.same(delivered, [4])
})

t.test('an end that comes again under another id is delivered to those only who may lack it', async t => {
  const { cursor } = setup()
  const again = (seq: number) => new Message(
    { id: id(9), repeats: id(seq) }, { jobId: 'a', queue: 'default', timestamp: 0 }, new Frame('job:completed', '9')
  )
  cursor.receivedUpTo = id(2)
  cursor.completeFrom = id(5)
  t.same([1, 2, 3, 5, 6].map(seq => cursor.hasDelivered(again(seq))), [true, true, false, false, true])
  t.notOk(cursor.hasDelivered(message(9)), 'what comes for the first time')

  // Redis lost it before the stream tail had read it; the client may have it from another replica.
  const unread = (seq: number) => Object.assign(again(seq), { isUnread: true })
  t.same([1, 2, 3, 6, 7].map(seq => cursor.hasDelivered(unread(seq))), [true, true, false, false, false])
})

t.test('while it resumes it knows an end by its first id, over all attempts', async t => {
  const received: number[] = []
  const { tail, firstIds } = setup()
  const cursor: EventCursor = new EventCursor(
    { tail, bufferLimits: { events: 9, bytes: 9000 } },
    message => { if (!cursor.hasDelivered(message)) received.push(message.id.seq) }
  )
  cursor.position = cursor.completeFrom = id(1)
  const end = (seq: number, repeats?: number) => new Message(
    { id: id(seq), ...(repeats !== undefined && { repeats: id(repeats) }) },
    { jobId: 'a', queue: 'default', timestamp: 0 },
    new Frame('job:completed', '')
  )
  firstIds.set(7, id(4))
  for (const message of [end(2), end(3, 2), end(5, 4), end(6, 4), end(7), end(8)]) cursor.deliverMissed(message)
  t.same(received, [2, 5, 8], '2 again, and 4, which the history has lost, and which comes as 5, 6 and 7')
})

t.test('for any interleaving of buffering, history and tail each event is delivered once and in order', async () => {
  fc.assert(fc.property(
    fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 8 }),
    (before, since, duringFirst, duringNext, limit) => {
      const { cursor, delivered, read } = setup({ events: limit, bytes: 10_000 })
      let last = 0
      const go = (count: number) => { for (let i = 0; i < count; i++) read(++last) }
      go(before)
      cursor.startBuffering()
      // As resume does, while the tail goes on. A client may even be ahead of the tail.
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
      return JSON.stringify(delivered) === JSON.stringify(expected)
    }
  ))
})
