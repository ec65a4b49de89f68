import t from 'tap'
import {
  EVENT_TYPES, JOB_EVENT_TYPES, socketMessage, stateAfter, WEBHOOK_EVENT_TYPES, webhookMessage, type PublishedJobEvent
} from '../src/index.ts'

t.test('clients and webhooks receive the types that the table names, under its names', async t => {
  for (const type of JOB_EVENT_TYPES) {
    const event: PublishedJobEvent = {
      v: 1, type, eventId: '5-1', queue: 'default', jobId: 'a', name: 'work', userId: '7', timestamp: 5
    }
    t.equal(socketMessage(event)?.event, EVENT_TYPES[type].socket, type)
    t.equal(webhookMessage(event)?.eventType, EVENT_TYPES[type].webhook ? type : undefined, type)
  }
  t.same(WEBHOOK_EVENT_TYPES, ['progress', 'completed', 'failed', 'all'])
})

t.test('progress leaves the state of a job, a replaced job has none', async t => {
  t.same(JOB_EVENT_TYPES.filter(type => stateAfter(type) === undefined), ['progress', 'replaced'])
  t.equal(stateAfter('added'), 'waiting')
})
