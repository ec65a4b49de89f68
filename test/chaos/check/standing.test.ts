import t from 'tap'
import type { Job } from '@tidings/contracts'
import { standingFaults } from './standing.ts'
import type { Expected } from './truth.ts'
import { REMOVED } from './values.ts'

/** A job that runs, waits for its next attempt, is cancelled, and added again by a retry. */
const EVENTS: Expected[] = [
  { type: 'added', ms: 1, opens: true },
  { type: 'active', ms: 2, opens: false },
  { type: 'progress', ms: 3, opens: false, value: 50 },
  { type: 'delayed', ms: 4, opens: false },
  { type: 'failed', ms: 5, opens: false, value: REMOVED },
  { type: 'added', ms: 6, opens: true },
  { type: 'active', ms: 7, opens: false },
  { type: 'completed', ms: 8, opens: false, value: 'done' }
]
const shown = {
  state: 'completed', progress: 0, result: 'done', attempts: { made: 1 }, timestamp: { started: 7, finished: 8 }
} as unknown as Job

t.test('a job that is added again has no attempts and no progress of before', async t => {
  t.same(standingFaults(shown, EVENTS), [])
  t.same(standingFaults({ ...shown, attempts: { made: 2, max: 1 } }, EVENTS), ['attempts is 2 instead of 1'])
  t.same(standingFaults({ ...shown, state: 'failed' } as Job, EVENTS).length, 2, 'state and outcome')
})
