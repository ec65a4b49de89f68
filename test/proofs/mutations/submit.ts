import type { Mutation } from '../mutation.ts'
import { API } from './paths.ts'

const insertJobs = `${API}/src/submit/insert-jobs.ts`

export const submit: Mutation[] = [
  {
    without: 'the idempotency key, on which the rows depend',
    file: insertJobs,
    search: ' and (${key === undefined} or exists (select from key))',
    replacement: '',
    tests: { [`${API}/test/routes/submit.test.ts`]: 'a repeated request with the same Idempotency-Key' }
  },
  {
    without: 'the outbox sweep',
    file: `${API}/src/queue-leader/queue-duties.ts`,
    search: 'await sweepOutbox(config.SWEEP_AGE_MS, context, run)',
    replacement: 'run.alive?.()',
    tests: { [`${API}/test/reconcile/outbox.test.ts`]: 'a job that never reached Redis is added once by two replicas' }
  },
  {
    without: 'the job\'s own id, when the outbox adds it',
    file: `${API}/src/reconcile/reenqueue.ts`,
    search: 'jobId: id, ',
    replacement: 'jobId: `again-${id}`, ',
    tests: {
      [`${API}/test/reconcile/outbox.test.ts`]: 'a job that never reached Redis is added once by two replicas'
    }
  },
  {
    without: 'the removal of a job that was cancelled while it was added',
    file: `${API}/src/reconcile/apply.ts`,
    search: 'if (!await removeQueued(queue, job.id)) await notifyWorker(redis, job)',
    replacement: 'await notifyWorker(redis, job)',
    tests: {
      [`${API}/test/reconcile/outbox.test.ts`]: 'a job that is cancelled while the outbox adds it is removed again'
    }
  }
]
