import t from 'tap'
import { disagreements } from '../../src/sample/agreement.ts'
import type { ChannelReports } from '../../src/sample/agreement.ts'

const progress = { eventId: '1-0', type: 'progress', value: 50 }
const completed = { eventId: '2-0', type: 'completed', value: { rows: 3 } }
const reports: ChannelReports = {
  socket: [progress, completed],
  webhooks: [completed, progress],
  polled: { state: 'completed', result: { rows: 3 }, lastEventId: '2-0' }
}

t.test('the order and repetition of webhooks is no disagreement', async t => {
  t.same(disagreements(reports), [])
  t.same(disagreements({ ...reports, webhooks: [completed, progress, progress] }), [])
})

t.test('describes each kind of disagreement', async t => {
  t.same(disagreements({ ...reports, webhooks: [completed] }), ['event 1-0 arrived over Socket.IO, but not by webhook'])
  t.same(disagreements({ ...reports, socket: [completed] }), ['event 1-0 arrived by webhook, but not over Socket.IO'])
  t.same(disagreements({ ...reports, socket: [progress, progress, completed] }), ['Socket.IO reported an event twice'])
  t.same(disagreements({ ...reports, webhooks: [progress, { ...completed, value: { rows: 4 } }] }), [
    'event 2-0 differs between Socket.IO and webhook'
  ])
  t.same(disagreements({ ...reports, polled: { state: 'completed', result: { rows: 4 }, lastEventId: '3-0' } }), [
    'polling\'s last event is 3-0, Socket.IO\'s 2-0',
    'polling and Socket.IO have different results'
  ])
  t.same(disagreements({ socket: [progress], webhooks: [progress], polled: reports.polled }), [
    'Socket.IO reported no end of the job'
  ])
  t.same(disagreements({ ...reports, polled: { state: 'failed', failedReason: 'x', lastEventId: '2-0' } }), [
    'polling says failed, Socket.IO completed',
    'polling and Socket.IO have different results'
  ])
})
