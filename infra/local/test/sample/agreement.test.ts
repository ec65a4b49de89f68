import t from 'tap'
import { disagreements } from '../../src/sample/agreement.ts'
import type { Heard } from '../../src/sample/agreement.ts'

const progress = { eventId: '1-0', type: 'progress', value: 50 }
const completed = { eventId: '2-0', type: 'completed', value: { rows: 3 } }
const heard: Heard = {
  socket: [progress, completed],
  webhooks: [completed, progress],
  polled: { state: 'completed', result: { rows: 3 }, lastEventId: '2-0' }
}

t.test('channels that say the same agree, in whatever order webhooks come and however often', async t => {
  t.same(disagreements(heard), [])
  t.same(disagreements({ ...heard, webhooks: [completed, progress, progress] }), [])
})

t.test('each way to disagree is told', async t => {
  t.same(disagreements({ ...heard, webhooks: [completed] }), ['event 1-0 came by Socket.IO and by no webhook'])
  t.same(disagreements({ ...heard, socket: [completed] }), ['event 1-0 came by webhook and not by Socket.IO'])
  t.same(disagreements({ ...heard, socket: [progress, progress, completed] }), ['Socket.IO told an event twice'])
  t.same(disagreements({ ...heard, webhooks: [progress, { ...completed, value: { rows: 4 } }] }), ['event 2-0 says one thing by Socket.IO and another by webhook'])
  t.same(disagreements({ ...heard, polled: { state: 'completed', result: { rows: 4 }, lastEventId: '3-0' } }), [
    'polling\'s last event is 3-0, Socket.IO\'s 2-0',
    'polling and Socket.IO have different results'
  ])
  t.same(disagreements({ socket: [progress], webhooks: [progress], polled: heard.polled }), ['Socket.IO told no end'])
  t.same(disagreements({ ...heard, polled: { state: 'failed', failedReason: 'x', lastEventId: '2-0' } }), [
    'polling says failed, Socket.IO completed',
    'polling and Socket.IO have different results'
  ])
})
