import t from 'tap'
import { Check } from 'typebox/value'
import {
  JobCompletedPayload, JobFailedPayload, JobProgressPayload, JobStatePayload, jsonText, socketMessage, type JsonText,
  type PublishedJobEvent
} from '../src/index.ts'

const published = (change: Partial<PublishedJobEvent>): PublishedJobEvent =>
  ({
    v: 1,
    type: 'progress',
    eventId: '5-1',
    queue: 'default',
    jobId: 'a',
    name: 'work',
    userId: '7',
    timestamp: 5,
    ...change
  })

const messageOf = (change: Partial<PublishedJobEvent>) => {
  const message = socketMessage(published(change))
  return message && { event: message.event, payload: JSON.parse(message.json) as unknown }
}

t.test('progress, completion and failure have the form of the seed document', async t => {
  const head = { eventId: '5-1', jobId: 'a', name: 'work', queue: 'default', userId: 7, timestamp: 5 }
  t.same(messageOf({ progress: jsonText(75) }), { event: 'job:progress', payload: { ...head, progress: 75 } })
  t.same(messageOf({ type: 'completed', result: jsonText({ rows: 3 }) }), {
    event: 'job:completed', payload: { ...head, result: { rows: 3 } }
  })
  t.same(messageOf({ type: 'failed', error: 'no' }), { event: 'job:failed', payload: { ...head, error: 'no' } })
})

t.test('a value that is too large for an event is flagged', async t => {
  t.match(messageOf({ progressTruncated: true })?.payload, { progress: null, progressTruncated: true })
  t.match(messageOf({ type: 'completed', resultTruncated: true })?.payload, { result: null, resultTruncated: true })
  t.match(messageOf({ type: 'failed', error: 'its beginning', errorTruncated: true })?.payload, {
    error: 'its beginning', errorTruncated: true
  })
})

t.test('progress and result arrive as the worker wrote them', async t => {
  for (const text of [
    '1152921506151679042', '1.0', '-0', '1e400', '{"b": 1,"a":2,"b":3}', '{"__proto__":{"x":1}}', '"\\u00e9\\u0000"',
    'null'
  ] as JsonText[]) {
    t.ok(socketMessage(published({ progress: text }))?.json.endsWith(`,"progress":${text}}`), text)
    t.ok(socketMessage(published({ type: 'completed', result: text }))?.json.endsWith(`,"result":${text}}`), text)
  }
})

t.test('clients receive the states of a job, but not its creation', async t => {
  for (const type of ['waiting', 'active', 'delayed'] as const) {
    t.same(messageOf({ type }), {
      event: 'job:state', payload: { eventId: '5-1', jobId: 'a', name: 'work', state: type, timestamp: 5 }
    })
  }
  t.equal(messageOf({ type: 'added' }), undefined)
})

t.test('every payload fits its schema', async t => {
  t.ok(Check(JobProgressPayload, messageOf({ progress: jsonText({ step: 1 }) })?.payload))
  t.ok(Check(JobCompletedPayload, messageOf({ type: 'completed', result: jsonText('x') })?.payload))
  t.ok(Check(JobFailedPayload, messageOf({ type: 'failed', error: 'x' })?.payload))
  t.ok(Check(JobStatePayload, messageOf({ type: 'active' })?.payload))
})
