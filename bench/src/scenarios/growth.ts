import { manyGateways } from './growth/gateways.ts'
import { manyJobs } from './growth/jobs.ts'
import { manyQueues } from './growth/queues.ts'
import type { Scenario } from './scenario.ts'

/** What becomes of polls where a user has a million jobs, of fan-out over four gateways, and of the relay over sixteen queues. */
export const growth: Scenario = {
  name: 'growth',
  title: '7 growth',
  run: async stage => {
    const results = [await manyJobs(stage), await manyGateways(stage), await manyQueues(stage)]
    return { rows: results.flatMap(({ rows }) => rows), broken: results.flatMap(({ broken }) => broken) }
  }
}
