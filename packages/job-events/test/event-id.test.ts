import fc from 'fast-check'
import t from 'tap'
import { compareEventIds, eventIdOf, formatEventId, isNewer, justBelow, newest, parseEventId } from '../src/index.ts'

const eventId = () => fc.record({ ms: fc.nat(), seq: fc.nat() })

t.test('an id survives its text form', async t => {
  fc.assert(fc.property(eventId(), id => {
    t.same(parseEventId(formatEventId(id)), id)
    t.same(eventIdOf(formatEventId(id)), id)
  }), { numRuns: 50 })
})

t.test('ids are compared as integers, not as texts', async t => {
  t.ok(isNewer({ ms: 10, seq: 0 }, { ms: 9, seq: 0 }))
  t.ok(isNewer({ ms: 10, seq: 10 }, { ms: 10, seq: 9 }))
  t.equal(compareEventIds({ ms: 1, seq: 2 }, { ms: 1, seq: 2 }), 0)
  t.same(newest({ ms: 1, seq: 2 }, { ms: 1, seq: 3 }), { ms: 1, seq: 3 })
})

t.test('the id just below another is older, with none in between', async t => {
  t.same(justBelow({ ms: 5, seq: 3 }), { ms: 5, seq: 2 })
  t.ok(isNewer({ ms: 5, seq: 0 }, justBelow({ ms: 5, seq: 0 })))
})

t.test('a text that is not an id is refused', async t => {
  for (const text of [
    '', '1', '1-', '-1', '1-2-3', 'a-1', '1-b', ' 1-2', '99999999999999999-0', '9999999999999999-0'
  ]) {
    t.equal(parseEventId(text), undefined, text)
  }
  for (const text of [
    '', '1', '1-', '-1', '1-2-3', '1--2', 'a-1', '1-b', '99999999999999999-0', '0-9999999999999999'
  ]) {
    t.throws(() => eventIdOf(text), { name: 'TypeError', message: `Not an event id: ${text}` })
  }
})
