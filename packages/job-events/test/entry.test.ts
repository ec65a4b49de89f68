import t from 'tap'
import { jsonText, type JobEvent, type JsonText } from '@tidings/contracts'
import { decode, decodeAll, encode, MalformedJobEvent, UnsupportedJobEvent } from '../src/index.ts'
import { progressEvent } from './events.ts'

const id = { ms: 5, seq: 1 }
const entry = (payload: string, owner = '7') => ({ id, owner, payload })

t.test('an event gets its stream id, and fields that this reader does not know stay', async t => {
  const event = { ...progressEvent(1), later: true }
  t.same(decode(entry(encode(event))), { ...event, eventId: '5-1' })
})

t.test('an event of a higher version stops the reader', async t => {
  const payload = encode({ ...progressEvent(1), v: 2 })
  t.throws(() => decode(entry(payload)), UnsupportedJobEvent)
  t.throws(() => decodeAll([entry(payload)], () => {}), UnsupportedJobEvent)
})

t.test('malformed entries are reported and skipped', async t => {
  const faults: MalformedJobEvent[] = []
  const good = encode(progressEvent(1))
  const entries = [
    '{', '', 'null', '{"v":1}', '{"v":1,"raw":true,"progress":', '{"v":1,"raw":true,"progress":}', good
  ].map(payload => entry(payload))
  const events = decodeAll([...entries, entry(good, 'somebody else')], fault => faults.push(fault))
  t.equal(events.length, 1)
  t.equal(faults.length, 7)
})

t.test('an event that no reader can use is malformed, whatever else it holds', async t => {
  const odd = [
    { type: 'constructor' }, { type: 5 }, { queue: undefined }, { queue: 7 }, { name: null }, { jobId: '' },
    { jobId: 'a\ud800' },
    { timestamp: '5' }, { timestamp: 1e300 }, { timestamp: 0.5 }, { generation: 'first' }, { generation: 3 }, { v: 0 },
    { v: 1.5 }, { v: '1' }
  ]
  for (const change of odd) {
    t.throws(
      () => decode(entry(JSON.stringify({ ...progressEvent(1), ...change }))), MalformedJobEvent, JSON.stringify(change)
    )
  }
})

const VALUES = [
  '1152921506151679042', '1.0', '-0', '1e400', '0.1234567890123456789012345678901234567890',
  '{ "b": 1, "a": 2, "b": 3 }',
  '{"__proto__":{"x":1},"progress":1,"result":{"result":2}}', '"\\u00e9 \\u0000 é"', 'null', '"null"',
  '[{"a":"}"},"\\""]'
] as JsonText[]

t.test('the worker\'s own JSON comes out as it went in', async t => {
  for (const value of VALUES) {
    for (const event of [progressEvent(1, { progress: value }), endOf({ result: value })]) {
      t.same(decode(entry(encode(event))), { ...event, eventId: '5-1' }, value)
    }
  }
})

t.test('a name that looks like a value is not taken for it', async t => {
  const event = progressEvent(
    1, { name: ',"raw":true,"result":1}', jobId: '"progress":', webhookUrl: 'x,"raw":true,"progress":5' }
  )
  t.same(decode(entry(encode(event))), { ...event, eventId: '5-1' })
  const { progress: _progress, ...none } = event
  t.same(decode(entry(encode(none))), { ...none, eventId: '5-1' }, 'without one either')
})

t.test('an entry of an older release is read, wherever the value is', async t => {
  for (const value of [75, 'done', null, { a: [1] }]) {
    const older = JSON.stringify({ ...endOf({ result: value as never }), reconciled: true })
    t.same(decode(entry(older)), { ...endOf({ result: jsonText(value), reconciled: true }), eventId: '5-1' })
  }
})

function endOf (change: Partial<JobEvent>): JobEvent {
  const { progress: _progress, ...event } = progressEvent(1, { type: 'completed', ...change })
  return event
}
