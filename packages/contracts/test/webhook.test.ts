import t from 'tap'
import { jsonText, webhookMessage, type JsonText, type PublishedJobEvent } from '../src/index.ts'

const published = (change: Partial<PublishedJobEvent>): PublishedJobEvent =>
  ({
    v: 1,
    type: 'progress',
    eventId: '5-1',
    queue: 'default',
    jobId: '123',
    name: 'exampleJob',
    userId: '1',
    timestamp: 5,
    ...change
  })

const body = (change: Partial<PublishedJobEvent>) => webhookMessage(published(change))?.body

t.test('the body is the seed document\'s, field by field and in its order', async t => {
  t.equal(
    body({ progress: jsonText(75) }),
    '{"id":"123","jobname":"exampleJob","userId":1,"progress":75,"eventType":"progress"}'
  )
  t.equal(
    body({ type: 'completed', result: jsonText('job result data') }),
    '{"id":"123","jobname":"exampleJob","userId":1,"result":"job result data","eventType":"completed"}'
  )
  t.equal(
    body({ type: 'failed', error: 'error message' }),
    '{"id":"123","jobname":"exampleJob","userId":1,"error":"error message","eventType":"failed"}'
  )
})

t.test('a worker that returns nothing completes with null', async t => {
  t.match(body({ type: 'completed' }), '"result":null,')
})

t.test('webhooks receive no states', async t => {
  for (const type of ['added', 'waiting', 'active', 'delayed'] as const) {
    t.equal(webhookMessage(published({ type })), undefined)
  }
})

t.test('a value that is too large for an event is flagged', async t => {
  t.match(body({ progressTruncated: true }), '"progress":null,"progressTruncated":true,"eventType":"progress"}')
  t.match(
    body({ type: 'completed', resultTruncated: true }), '"result":null,"resultTruncated":true,"eventType":"completed"}'
  )
  t.match(
    body({ type: 'failed', error: 'its beginning', errorTruncated: true }),
    '"error":"its beginning","errorTruncated":true,"eventType":"failed"}'
  )
})

t.test('progress and result arrive as the worker wrote them', async t => {
  const text = '{"id": 1152921506151679042, "one": 1.0, "large": 1e400}' as JsonText
  t.match(body({ progress: text }), `"progress":${text},"eventType"`)
  t.match(body({ type: 'completed', result: text }), `"result":${text},"eventType"`)
})
