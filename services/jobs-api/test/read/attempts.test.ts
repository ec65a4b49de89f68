import t from 'tap'
import type { JobTimelineEntry } from '@tidings/contracts'
import { attemptsOf } from '../../src/read/attempts.ts'

const lines = (...types: [type: string, error?: string][]): JobTimelineEntry[] => types.map(([type, error], i) => ({
  eventId: `1-${i}`, type, state: 'waiting', timestamp: i, ...(error !== undefined && { error })
}))

t.test('an attempt starts with active and ends with the next event', async t => {
  t.same(attemptsOf(lines(['added'], ['waiting']), 0), [])
  t.same(attemptsOf(lines(['added'], ['active']), 1), [{ number: 1, started: 1, finished: null, outcome: null }])
  t.same(attemptsOf(lines(['active'], ['delayed', 'one'], ['waiting'], ['active'], ['waiting'], ['active'],
    ['failed', ''], ['waiting'], ['active'], ['completed']), 4), [
    { number: 1, started: 0, finished: 1, outcome: 'failed', error: 'one' },
    { number: 2, started: 3, finished: 4, outcome: 'interrupted' },
    { number: 3, started: 5, finished: 6, outcome: 'failed', error: '' },
    { number: 4, started: 8, finished: 9, outcome: 'completed' }
  ])
})

t.test('the last attempt has the number of all attempts, though the oldest are missing', async t => {
  const events = lines(['waiting'], ['active'], ['waiting'], ['active'])
  t.same(attemptsOf(events, 700).map(({ number }) => number), [699, 700])
  t.same(attemptsOf(events, 0).map(({ number }) => number), [1, 2], 'the row is older than the lines')
})
