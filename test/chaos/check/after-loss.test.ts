import t from 'tap'
import type { Job } from '@tidings/contracts'
import type { Received } from '../channels/recorder.ts'
import type { SentJob } from '../load/load.ts'
import { lossFindings } from './after-loss.ts'

const job: SentJob = { id: 'one', queue: 'default', user: 'user-1', sentAt: 0 }
const end: Received = { eventId: '10-0', type: 'completed', value: { of: 'one' } }
const shown = { state: 'completed', result: { of: 'one' } } as unknown as Job

type Deviation = {
  sockets?: Received[]
  unrecovered?: [string, string][]
  hooks?: Received[]
  of?: Partial<SentJob>
  shown?: Job | undefined
}

function findings (deviation: Deviation) {
  const { sockets = [end], hooks = [end], unrecovered = [], of = {} } = deviation
  const channels = [
    { channel: '/ws', received: new Map([['one', sockets]]), unrecovered },
    { channel: 'webhook' as const, received: new Map([['one', hooks]]) }
  ]
  const { lost, doubled, reordered, wrong } = lossFindings({
    job: { ...job, ...of }, channels, shown: 'shown' in deviation ? deviation.shown : shown
  })
  return { lost: lost.length, doubled: doubled.length, reordered: reordered.length, wrong: wrong.length }
}

const NONE = { lost: 0, doubled: 0, reordered: 0, wrong: 0 }

t.test('one end, the same everywhere, has no findings, whatever came before it', async t => {
  t.same(findings({}), NONE)
  t.same(findings({ sockets: [{ eventId: '9-0', type: 'progress', value: 50 }, end] }), NONE)
})

t.test('a missing end, a second end and a difference are found', async t => {
  t.same(findings({ hooks: [] }), { ...NONE, lost: 1 })
  t.same(findings({ sockets: [end, { ...end, eventId: '11-0' }] }), { ...NONE, doubled: 1 })
  t.same(findings({ hooks: [{ ...end, eventId: '11-0', value: { of: 'two' } }] }), { ...NONE, wrong: 1 })
  t.same(findings({ hooks: [{ ...end, value: { of: 'two' } }] }), { ...NONE, wrong: 2 }, 'under the same id')
  t.same(findings({ shown: { ...shown, state: 'active' } }), { ...NONE, lost: 1, wrong: 2 })
})

t.test('a session that was not recovered may lack an end within its gap, and no other', async t => {
  t.same(findings({ sockets: [], unrecovered: [['9-0', '10-0']] }), NONE)
  t.same(findings({ sockets: [], unrecovered: [['10-0', '11-0']] }), { ...NONE, lost: 1 })
  t.same(findings({ hooks: [], unrecovered: [['9-0', '10-0']] }), { ...NONE, lost: 1 })
})

t.test('a job that its user retried may end twice', async t => {
  t.same(findings({ sockets: [end, { ...end, eventId: '11-0' }], of: { retries: 1 } }), NONE)
})

t.test('only a job of another producer may be unknown, and only if no channel has its end', async t => {
  const unknown = { sockets: [], hooks: [], shown: undefined }
  t.same(findings({ ...unknown, of: { isForeign: true } }), NONE)
  t.same(findings(unknown), { ...NONE, lost: 1 })
  t.same(findings({ shown: undefined, of: { isForeign: true } }), { ...NONE, lost: 1 })
})
