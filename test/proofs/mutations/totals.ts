import type { Mutation } from '../mutation.ts'
import { API } from './paths.ts'

export const totals: Mutation[] = [
  {
    without: 'the counters of a submit',
    file: `${API}/src/submit/insert-jobs.ts`,
    search: 'select user_id, state, count(*) from written group by user_id, state',
    replacement: 'select user_id, state, count(*) from written where false group by user_id, state',
    tests: { [`${API}/test/routes/submit.test.ts`]: 'a submitted job' }
  },
  {
    without: 'the counters of a projected batch',
    file: `${API}/src/projector/project-batch.ts`,
    search: 'moveCounters(tx, changed),',
    replacement: 'moveCounters(tx, []),',
    tests: { [`${API}/test/projector/project-batch.test.ts`]: 'rows, counters, timeline and position move together' }
  },
  {
    without: 'the counters of jobs that retention removes',
    file: `${API}/src/db/fragments.ts`,
    search: 'select user_id, state, -count(*) from removed group by user_id, state',
    replacement: 'select user_id, state, 0 from removed group by user_id, state',
    tests: { [`${API}/test/maintenance/retention.test.ts`]: 'old finished jobs are removed' }
  }
]
