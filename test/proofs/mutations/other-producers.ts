import type { Mutation } from '../mutation.ts'
import { API } from './paths.ts'

const replaced = `${API}/test/reconcile/replaced.test.ts`

export const otherProducers: Mutation[] = [
  {
    without: 'successors, of a job that is missing',
    file: `${API}/src/reconcile/decide.ts`,
    search: 'if (successor) return publish(',
    replacement: 'if (successor && row.n < 0) return publish(',
    tests: { [replaced]: 'schedulers that are upserted at each boot report no failure' }
  },
  {
    without: 'the wait for a successor, of a job that was removed',
    file: `${API}/src/relay/mapping/to-job-events.ts`,
    search: 'if (mayBeReplaced(entry, owner) && !isCancelled) return requestReconcile(entry, owner)',
    replacement: '',
    tests: { [replaced]: 'rescheduled by hand' }
  }
]
