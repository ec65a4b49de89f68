import t from 'tap'
import { eventIdOf } from '@tidings/job-events'
import { JOB_STATES, jsonText, type PublishedJobEvent } from '@tidings/contracts'
import { applyEvent, newJob, type JobFields } from '../../src/projector/apply-event.ts'

let seq = 0
function event (type: PublishedJobEvent['type'], fields: Partial<PublishedJobEvent> = {}): PublishedJobEvent {
  return {
    v: 1,
    type,
    queue: 'q',
    jobId: '1',
    name: 'n',
    userId: '7',
    timestamp: 1000 + ++seq,
    eventId: `1000-${seq}`,
    ...fields
  }
}

const after = (...events: PublishedJobEvent[]): JobFields => events.reduce(
  applyEvent, newJob(events[0] as PublishedJobEvent)
)
const state = (job: JobFields) => JOB_STATES[job.state]

t.test('a job from its start to its end', async t => {
  const [added, waiting, active] = [event('added', { created: 5, attempts: 3 }), event('waiting'), event('active')]
  const [progress, end] = [
    event('progress', { progress: jsonText(50) }), event('completed', { result: jsonText({ a: 1 }) })
  ]
  const job = after(added, waiting, active, progress, end)
  t.same(job, {
    state: 3,
    createdMs: 5,
    startedMs: active.timestamp,
    finishedMs: end.timestamp,
    attemptsMade: 1,
    attemptsMax: 3,
    progressCount: 1,
    progressAtMs: progress.timestamp,
    event: { ms: 1000, seq },
    progress: '50',
    progressTruncated: false,
    outcome: { result: '{"a":1}', truncated: false, error: null }
  })
})

t.test('a finished job is not changed by any event until it is reopened', async t => {
  const done = after(event('added'), event('active'), event('completed', { result: jsonText(1) }))
  for (const late of [
    event('progress', { progress: jsonText(9) }), event('active'), event('waiting'), event('delayed'),
    event('failed', { error: 'x' })
  ]) {
    t.same(
      applyEvent(done, late), { ...done, event: eventIdOf(late.eventId) },
      `${late.type} only moves the last event, for \`?after\``
    )
  }
  const reopened = applyEvent(done, event('waiting', { reopened: true }))
  t.equal(state(reopened), 'waiting')
  t.same(reopened.outcome, { result: null, truncated: false, error: null })
  t.equal(reopened.finishedMs, null)
  t.equal(applyEvent(reopened, event('active')).attemptsMade, 2)
})

t.test('a reused id starts over', async t => {
  const again = applyEvent(
    after(
      event('added'), event('active'), event('progress', { progress: jsonText(9) }), event('failed', { error: 'x' })
    ),
    event('added', { created: 77 })
  )
  t.same([state(again), again.attemptsMade, again.progress, again.createdMs], ['waiting', 0, null, 77])
})

t.test('a job submitted with a delay is never shown waiting before it is due', async t => {
  const submitted: JobFields = { ...newJob(event('added')), state: JOB_STATES.indexOf('delayed') }
  t.equal(state(applyEvent(submitted, event('added'))), 'delayed')
})

t.test('a value that was too large for the event is marked as truncated', async t => {
  t.same(after(event('active'), event('completed', { resultTruncated: true })).outcome, {
    result: null, truncated: true, error: null
  })
  t.same(after(event('active'), event('failed', { error: 'start', errorTruncated: true })).outcome, {
    result: null, truncated: true, error: 'start'
  })
  t.match(after(event('active'), event('progress', { progressTruncated: true })), {
    progress: 'null', progressTruncated: true
  })
})
