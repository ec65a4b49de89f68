import type { Mutation } from '../mutation.ts'
import { DISPATCHER } from './paths.ts'

const insertRows = `${DISPATCHER}/src/delivery/outcomes/insert-rows.ts`
const fencesTest = `${DISPATCHER}/test/delivery/outcomes/fences.test.ts`
const claimDue = `${DISPATCHER}/src/delivery/claim/claim-due.ts`
const claimDueTest = `${DISPATCHER}/test/delivery/claim/claim-due.test.ts`
const simulation = 'test/simulation/deliveries.test.ts'

export const webhooks: Mutation[] = [
  {
    without: 'the comparison of the position, before deliveries are inserted',
    file: insertRows,
    search: ' and event_ms = ${from.ms} and event_seq = ${from.seq}',
    replacement: ' and ${from.ms}::bigint is not null',
    tests: { [fencesTest]: 'rows are inserted only from the position' }
  },
  {
    without: 'the fence of a shard by its worker',
    file: insertRows,
    search: 'where shard = ${shard} and worker_id = ${workerId} and',
    replacement: 'where shard = ${shard} and ${workerId}::bigint is not null and',
    tests: { [fencesTest]: 'rows are inserted only by the worker that holds the shard' }
  },
  {
    without: 'the fence of a row by its claim',
    file: `${DISPATCHER}/src/delivery/outcomes/update-rows.ts`,
    search: ' and d.claim = r.claim and d.finished_at is null',
    replacement: '',
    tests: {
      [fencesTest]: 'an outcome is written only by the worker that holds the row'
    }
  },
  {
    without: 'the claims of others',
    file: claimDue,
    search: 'live as materialized (select id from webhooks.workers where lease_until > now())',
    replacement: 'live as materialized (select id from webhooks.workers where false)',
    tests: { [claimDueTest]: 'a claim takes the oldest delivery of an ordering key' }
  },
  {
    without: 'the order of an ordering key, when deliveries are claimed',
    file: claimDue,
    search: 'and (c.chain is null or c.id = (',
    replacement: 'and (true or c.id = (',
    tests: { [claimDueTest]: 'a claim takes the oldest delivery of an ordering key' }
  },
  {
    without: 'deliveries that wait in Postgres, when new events are planned',
    file: `${DISPATCHER}/src/fan-out/shard-consumer.ts`,
    search: 'const isBlocked = ahead.length > 0 || (pending && !(pending.ours && run))',
    replacement: 'const isBlocked = ahead.length > 0 || (pending && false)',
    tests: { [`${DISPATCHER}/test/fan-out/order.test.ts`]: 'an event waits behind an older one of its job' }
  },
  {
    without: 'failures that the next batch could not see in Postgres',
    file: `${DISPATCHER}/src/fan-out/batch.ts`,
    search: 'if (decision.state === \'pending\' || decision.state === \'failed\') this.blocked.set(groupKeyOf(task), keyState)',
    replacement: 'if (decision.state === \'superseded\') this.blocked.set(groupKeyOf(task), keyState)',
    tests: {
      [`${DISPATCHER}/test/fan-out/order.test.ts`]: 'an event waits behind a failure',
      [`${DISPATCHER}/test/fan-out/batch.test.ts`]: 'a failure blocks its ordering group'
    }
  },
  {
    without: 'the end of a worker\'s trust in its lease',
    file: `${DISPATCHER}/src/delivery/claim/worker-lease.ts`,
    search: 'case \'unlocked\': return now < lease.until ? lease.id : undefined',
    replacement: 'case \'unlocked\': return now < lease.until * 1e9 ? lease.id : undefined',
    tests: { [simulation]: 'through crashes, freezes and lost connections' }
  },
  {
    without: 'one id for all attempts',
    file: `${DISPATCHER}/src/delivery/attempt/send.ts`,
    search: '...signedHeaders({ id: messageId, ',
    replacement: '...signedHeaders({ id: `${messageId}-${attempt}`, ',
    tests: { [`${DISPATCHER}/test/delivery/retry.test.ts`]: 'retries with the same id on the schedule' }
  },
  {
    without: 'the rest of the schedule after the first retry',
    file: `${DISPATCHER}/src/delivery/attempt/retry-policy.ts`,
    search: 'const pauseMs = scheduleMs[attempt - 1]',
    replacement: 'const pauseMs = scheduleMs.slice(0, 1)[attempt - 1]',
    tests: { [`${DISPATCHER}/test/delivery/attempt/retry-policy.test.ts`]: 'each failure is retried' }
  },
  {
    without: 'the recovery of what failed',
    file: `${DISPATCHER}/src/delivery/outcomes/recovery-policy.ts`,
    search: 'return windowMs > 0 ? ',
    replacement: 'return windowMs < 0 ? ',
    tests: { [`${DISPATCHER}/test/delivery/recovery.test.ts`]: 'deliveries that failed while an endpoint was down' }
  },
  {
    without: 'dropping of superseded progress where deliveries lag',
    file: `${DISPATCHER}/src/delivery/scheduler/delivery-scheduler.ts`,
    search: 'return endpoint.isSlow && !isEventLoopBusy()',
    replacement: 'return false',
    tests: {
      [`${DISPATCHER}/test/delivery/scheduler/delivery-scheduler.test.ts`]: 'lagging progress at a slow endpoint'
    }
  },
  {
    without: 'delivery of progress in full to a quick endpoint',
    file: `${DISPATCHER}/src/delivery/scheduler/delivery-scheduler.ts`,
    search: 'if (attempt > 1 || performance.now() - waitingSince <= progressLagMs) return false',
    replacement: 'if (attempt > 1 || waitingSince > 0) return true',
    tests: {
      [`${DISPATCHER}/test/delivery/scheduler/delivery-scheduler.test.ts`]: 'progress that does not lag, or goes to a quick endpoint'
    }
  }
]
