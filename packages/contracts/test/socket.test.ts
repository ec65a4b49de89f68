import t from 'tap'
import { Check } from 'typebox/value'
import { JobCompletedPayload, JobFailedPayload, JobProgressPayload, JobStatePayload, socketMessage, type ToldJobEvent } from '../src/index.ts'

const told = (change: Partial<ToldJobEvent>): ToldJobEvent =>
  ({ v: 1, type: 'progress', eventId: '5-1', queue: 'default', jobId: 'a', name: 'work', userId: '7', timestamp: 5, ...change })

t.test('progress, completion and failure are told as the seed document shows them', async t => {
  const head = { eventId: '5-1', jobId: 'a', name: 'work', queue: 'default', userId: 7, timestamp: 5 }
  t.same(socketMessage(told({ progress: 75 })), { event: 'job:progress', payload: { ...head, progress: 75 } })
  t.same(socketMessage(told({ type: 'completed', result: { rows: 3 } })), { event: 'job:completed', payload: { ...head, result: { rows: 3 } } })
  t.same(socketMessage(told({ type: 'failed', error: 'no' })), { event: 'job:failed', payload: { ...head, error: 'no' } })
})

t.test('a result too large to travel says so', async t => {
  t.match(socketMessage(told({ type: 'completed', resultTruncated: true }))?.payload, { result: null, resultTruncated: true })
})

t.test('states are told, the birth of a job is not', async t => {
  for (const type of ['waiting', 'active', 'delayed'] as const) {
    t.same(socketMessage(told({ type })), { event: 'job:state', payload: { eventId: '5-1', jobId: 'a', name: 'work', state: type, timestamp: 5 } })
  }
  t.equal(socketMessage(told({ type: 'added' })), undefined)
})

t.test('every payload fits its schema', async t => {
  t.ok(Check(JobProgressPayload, socketMessage(told({ progress: { step: 1 } }))?.payload))
  t.ok(Check(JobCompletedPayload, socketMessage(told({ type: 'completed', result: 'x' }))?.payload))
  t.ok(Check(JobFailedPayload, socketMessage(told({ type: 'failed', error: 'x' }))?.payload))
  t.ok(Check(JobStatePayload, socketMessage(told({ type: 'active' }))?.payload))
})
