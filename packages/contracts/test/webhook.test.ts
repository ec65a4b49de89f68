import t from 'tap'
import { webhookPayload, type ToldJobEvent } from '../src/index.ts'

const told = (change: Partial<ToldJobEvent>): ToldJobEvent =>
  ({ v: 1, type: 'progress', eventId: '5-1', queue: 'default', jobId: '123', name: 'exampleJob', userId: '1', timestamp: 5, ...change })

t.test('the body is the seed document\'s, field by field and in its order', async t => {
  const body = (change: Partial<ToldJobEvent>) => JSON.stringify(webhookPayload(told(change)))
  t.equal(body({ progress: 75 }), '{"id":"123","jobname":"exampleJob","userId":1,"progress":75,"eventType":"progress"}')
  t.equal(body({ type: 'completed', result: 'job result data' }), '{"id":"123","jobname":"exampleJob","userId":1,"result":"job result data","eventType":"completed"}')
  t.equal(body({ type: 'failed', error: 'error message' }), '{"id":"123","jobname":"exampleJob","userId":1,"error":"error message","eventType":"failed"}')
})

t.test('a worker that returns nothing completes with null', async t => {
  t.equal(webhookPayload(told({ type: 'completed' }))?.result, null)
})

t.test('states are no webhook\'s business', async t => {
  for (const type of ['added', 'waiting', 'active', 'delayed'] as const) t.equal(webhookPayload(told({ type })), undefined)
})
