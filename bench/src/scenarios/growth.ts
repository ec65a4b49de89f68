import { manyGateways } from './growth/gateways.ts'
import { manyJobs } from './growth/jobs.ts'
import { manyQueues } from './growth/queues.ts'
import type { Scenario } from './scenario.ts'

/** Polls of a user with a million jobs, fan-out over four gateways, and the relay over sixteen queues. */
export const growth: Scenario = {
  name: 'growth',
  title: '7 growth',
  run: async fixture => {
    const results = [await manyJobs(fixture), await manyGateways(fixture), await manyQueues(fixture)]
    return { rows: results.flatMap(({ rows }) => rows), broken: results.flatMap(({ broken }) => broken) }
  }
}
