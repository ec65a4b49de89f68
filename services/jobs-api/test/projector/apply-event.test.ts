import t from 'tap'
import { eventIdOf } from '@tidings/job-events'
import { JOB_STATES, jsonText, type PublishedJobEvent } from '@tidings/contracts'
import { applyEvent, newJob, type JobFields } from '../../src/projector/apply-event.ts'

let seq = 0
function told (type: PublishedJobEvent['type'], fields: Partial<PublishedJobEvent> = {}): PublishedJobEvent {
  return { v: 1, type, queue: 'q', jobId: '1', name: 'n', userId: '7', timestamp: 1000 + ++seq, eventId: `1000-${seq}`, ...fields }
}

const after = (...events: PublishedJobEvent[]): JobFields => events.reduce(applyEvent, newJob(events[0] as PublishedJobEvent))
const state = (job: JobFields) => JOB_STATES[job.state]

t.test('a job from beginning to end', async t => {
  const [added, waiting, active] = [told('added', { created: 5, attempts: 3 }), told('waiting'), told('active')]
  const [progress, end] = [told('progress', { progress: jsonText(50) }), told('completed', { result: jsonText({ a: 1 }) })]
  const job = after(added, waiting, active, progress, end)
  t.same(job, {
    state: 3,
    createdMs: 5,
    startedMs: active.timestamp,
    finishedMs: end.timestamp,
    attemptsMade: 1,
    attemptsMax: 3,
    event: { ms: 1000, seq },
    progress: '50',
    progressTruncated: false,
    outcome: { result: '{"a":1}', truncated: false, error: null }
  })
})

t.test('a finished job stays as it is, whatever comes, until it is opened again', async t => {
  const done = after(told('added'), told('active'), told('completed', { result: jsonText(1) }))
  for (const late of [told('progress', { progress: jsonText(9) }), told('active'), told('waiting'), told('delayed'), told('failed', { error: 'x' })]) {
    t.same(applyEvent(done, late), { ...done, event: eventIdOf(late.eventId) }, `${late.type} only moves the last event, for \`?after\``)
  }
  const reopened = applyEvent(done, told('waiting', { reopened: true }))
  t.equal(state(reopened), 'waiting')
  t.same(reopened.outcome, { result: null, truncated: false, error: null })
  t.equal(reopened.finishedMs, null)
  t.equal(applyEvent(reopened, told('active')).attemptsMade, 2)
})

t.test('an id used again begins anew', async t => {
  const again = applyEvent(after(told('added'), told('active'), told('progress', { progress: jsonText(9) }), told('failed', { error: 'x' })), told('added', { created: 77 }))
  t.same([state(again), again.attemptsMade, again.progress, again.createdMs], ['waiting', 0, null, 77])
})

t.test('a job submitted with a delay is never shown waiting before it is due', async t => {
  const submitted: JobFields = { ...newJob(told('added')), state: JOB_STATES.indexOf('delayed') }
  t.equal(state(applyEvent(submitted, told('added'))), 'delayed')
})

t.test('a value that did not travel leaves its mark', async t => {
  t.same(after(told('active'), told('completed', { resultTruncated: true })).outcome, { result: null, truncated: true, error: null })
  t.same(after(told('active'), told('failed', { error: 'begin', errorTruncated: true })).outcome, { result: null, truncated: true, error: 'begin' })
  t.match(after(told('active'), told('progress', { progressTruncated: true })), { progress: 'null', progressTruncated: true })
})
