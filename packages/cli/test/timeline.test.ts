import t from 'tap'
import type { DetailedTimeline } from 'tidings'
import { attemptColumns, timelineColumns, withProgress } from '../src/timeline.ts'

const eventAt = (timestamp: number, state: DetailedTimeline['events'][number]['state']) =>
  ({ eventId: `${timestamp}-0`, type: state as string, state, timestamp })

t.test('progress stands among the events by its time, before an end of the same millisecond', async t => {
  const timeline: DetailedTimeline = {
    events: [eventAt(10, 'waiting'), eventAt(20, 'active'), eventAt(50, 'completed')],
    progress: [{ timestamp: 20, progress: 1 }, { timestamp: 30, progress: 2 }, { timestamp: 50, progress: 3 }],
    attempts: []
  }
  const shown = withProgress(timeline).map(entry => 'progress' in entry ? entry.progress : entry.type)
  t.same(shown, ['waiting', 'active', 1, 2, 3, 'completed'])
  t.same(withProgress({ ...timeline, events: timeline.events.slice(0, 1) }).length, 4, 'none is left out')
})

t.test('a row says the progress, why an attempt failed, or that a value was not kept', async t => {
  const detail = timelineColumns.at(-1)?.text
  t.equal(detail?.({ type: 'progress', timestamp: 1, progress: { done: 3 } }), '{"done":3}')
  const truncated = { type: 'progress' as const, timestamp: 1, progress: null, progressTruncated: true as const }
  t.equal(detail?.(truncated), 'longer than 512 characters')
  t.equal(detail?.({ ...eventAt(1, 'waiting'), error: 'no' }), 'no')
  t.equal(detail?.(eventAt(1, 'waiting')), '')
})

t.test('an attempt is shown with when it began, how long it took, and its outcome', async t => {
  const attempt = { number: 2, started: 0, finished: 1500, outcome: 'failed' as const, error: 'no' }
  t.same(attemptColumns.map(({ text }) => text(attempt)), ['2', '1970-01-01T00:00:00.000Z', '1.5s', 'failed', 'no'])
  t.equal(attemptColumns.at(3)?.text({ number: 3, started: 0, finished: null, outcome: null }), 'active')
})
