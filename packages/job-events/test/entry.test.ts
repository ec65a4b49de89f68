import t from 'tap'
import { decode, decodeAll, MalformedJobEvent, UnsupportedJobEvent } from '../src/index.ts'
import { progressEvent } from './events.ts'

const id = { ms: 5, seq: 1 }
const entry = (payload: string, owner = '7') => ({ id, owner, payload })

t.test('an event gets its stream id, and fields that this reader does not know stay', async t => {
  const event = { ...progressEvent(1), later: true }
  t.same(decode(entry(JSON.stringify(event))), { ...event, eventId: '5-1' })
})

t.test('an event of a higher version stops the reader', async t => {
  const payload = JSON.stringify({ ...progressEvent(1), v: 2 })
  t.throws(() => decode(entry(payload)), UnsupportedJobEvent)
  t.throws(() => decodeAll([entry(payload)], () => {}), UnsupportedJobEvent)
})

t.test('malformed entries are told of and stepped over', async t => {
  const faults: MalformedJobEvent[] = []
  const good = JSON.stringify(progressEvent(1))
  const entries = ['{', '', 'null', '{"v":1}', good].map(payload => entry(payload))
  const events = decodeAll([...entries, entry(good, 'somebody else')], fault => faults.push(fault))
  t.equal(events.length, 1)
  t.equal(faults.length, 5)
})

t.test('an event that no reader could do anything with is malformed, whatever it holds', async t => {
  const odd = [
    { type: 'constructor' }, { type: 5 }, { queue: undefined }, { queue: 7 }, { name: null }, { jobId: '' }, { jobId: 'a\ud800' },
    { timestamp: '5' }, { timestamp: 1e300 }, { timestamp: 0.5 }, { generation: 'first' }, { generation: 3 }, { v: 0 }, { v: 1.5 }, { v: '1' }
  ]
  for (const change of odd) {
    t.throws(() => decode(entry(JSON.stringify({ ...progressEvent(1), ...change }))), MalformedJobEvent, JSON.stringify(change))
  }
})
