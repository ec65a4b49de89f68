import t from 'tap'
import type { Received } from '../channels/recorder.ts'
import { matchEvents } from './match-events.ts'
import type { Expected } from './truth.ts'

const expected: Expected[] = [
  { type: 'added', ms: 1, opens: true },
  { type: 'waiting', ms: 1, opens: false },
  { type: 'active', ms: 2, opens: false },
  { type: 'progress', ms: 3, value: 50, opens: false },
  { type: 'completed', ms: 4, value: { rows: 1 }, opens: false }
]
const received: Received[] = [
  { eventId: '10-0', type: 'waiting', ms: 1, value: undefined },
  { eventId: '10-1', type: 'active', ms: 2, value: undefined },
  { eventId: '10-2', type: 'progress', ms: 3, value: 50 },
  { eventId: '10-3', type: 'completed', ms: 4, value: { rows: 1 } }
]
const [waiting, active, progress, completed] = received as [Received, Received, Received, Received]

function findings (events: Received[], ids = new Map<number, string>()) {
  const { lost, doubled, reordered, wrong } = matchEvents({
    subject: 'test', expected, carries: type => type !== 'added', received: events, ids
  })
  return { lost: lost.length, doubled: doubled.length, reordered: reordered.length, wrong: wrong.length }
}

const NONE = { lost: 0, doubled: 0, reordered: 0, wrong: 0 }

t.test('what BullMQ recorded, each once and in order, has no findings', async t => {
  t.same(findings(received), NONE)
})

t.test('each deviation from what BullMQ recorded is found', async t => {
  t.same(findings([waiting, active, completed]), { ...NONE, lost: 1 })
  t.same(findings([...received, { ...completed, eventId: '11-0' }]), { ...NONE, doubled: 1 })
  t.same(findings([waiting, progress, active, completed]), { ...NONE, reordered: 1 })
  t.same(findings([...received, { ...progress, value: 51 }]), { ...NONE, wrong: 1 }, 'an event that nobody caused')
  t.same(findings([waiting, active, { ...progress, value: '50' }, completed]), { ...NONE, lost: 1, wrong: 1 })
  t.same(findings([waiting, active, progress, { ...completed, ms: 5 }]), { ...NONE, lost: 1, wrong: 1 })
})

t.test('an event has the same id on every channel', async t => {
  const ids = new Map<number, string>()
  t.same(findings(received, ids), NONE)
  t.same(findings([waiting, active, progress, { ...completed, eventId: '12-0' }], ids), { ...NONE, wrong: 1 })
})

t.test('of equal events without times, the one with the id of another channel is meant', async t => {
  const retried = [...expected.slice(0, 4), { ...expected[3] as Expected, ms: 5 }]
  const ids = new Map([[3, '10-2'], [4, '11-0']])
  const found = (events: { eventId: string }[]) => matchEvents({
    subject: 'test',
    expected: retried,
    carries: type => type === 'progress',
    received: events.map(({ eventId }) => ({ eventId, type: 'progress', value: 50 })),
    ids: new Map(ids)
  })
  t.match(found([{ eventId: '10-2' }, { eventId: '11-0' }]), { lost: [], doubled: [], reordered: [], wrong: [] })
  t.match(found([{ eventId: '11-0' }]), { lost: { length: 1 }, doubled: [], reordered: [], wrong: [] })
  t.match(found([{ eventId: '11-0' }, { eventId: '10-2' }]), { lost: [], reordered: { length: 1 }, wrong: [] })
  t.match(found([{ eventId: '12-0' }]), { wrong: { length: 1 } })
})
