import { prom, type MetricsRegistry } from '@tidings/service-kit'
import { OWN_FAULTS, type OwnFaultReason } from '../egress/own-fault.ts'
import type { Sql } from '../db/sql.ts'
import type { Endpoint } from './scheduler/endpoint.ts'
import { oldestDueSeconds } from './claim/oldest-due.ts'
import type { Attempt, Task } from './attempt/task.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
const STATES = ['healthy', 'failing', 'shut'] as const

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>

/** What operators see of delivery. */
export function createDeliveryMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  const attempts = new prom.Counter({
    name: 'tidings_webhook_attempts_total', help: 'Attempts by outcome: success, or the error class', labelNames: ['outcome'], registers
  })
  const latency = new prom.Histogram({
    name: 'tidings_webhook_latency_seconds', help: 'From the event to its 2xx; not of what is told again on demand', buckets: SECONDS, registers
  })
  const lateness = new prom.Histogram({
    name: 'tidings_webhook_retry_lateness_seconds', help: 'How long after its time a retry began', buckets: SECONDS, registers
  })

  const ownFaults = new prom.Counter({
    name: 'tidings_webhook_own_faults_total', help: 'Deliveries that were released, unattempted, because of a fault of ours', labelNames: ['reason'], registers
  })
  for (const reason of OWN_FAULTS) ownFaults.inc({ reason }, 0)

  return {
    released (reason: OwnFaultReason): void {
      ownFaults.inc({ reason })
    },
    attempted (task: Task, { startedAt, outcome }: Attempt): void {
      attempts.inc({ outcome: outcome.ok ? 'success' : outcome.errorClass ?? 'unknown' })
      if (task.attempt > 1) lateness.observe(Math.max(0, startedAt - task.dueAt) / 1000)
      // A test has no event, and what is redelivered or replayed may be of days ago.
      if (outcome.ok && task.orderingKey !== null) latency.observe(Math.max(0, Date.now() - task.acceptedAt) / 1000)
    },
    /** Counted when they are asked for. */
    watch (endpoints: () => Iterable<Endpoint>, sql: Sql): void {
      const inFlight = new prom.Gauge({
        name: 'tidings_webhook_in_flight',
        help: 'Attempts in flight by the state of their endpoint',
        labelNames: ['endpoint'],
        registers,
        collect () {
          const counts = { healthy: 0, failing: 0, shut: 0 }
          for (const endpoint of endpoints()) counts[stateOf(endpoint)] += endpoint.inFlight
          for (const state of STATES) inFlight.set({ endpoint: state }, counts[state])
        }
      })
      const oldestDue = new prom.Gauge({
        name: 'tidings_webhook_oldest_due_seconds',
        help: 'How long the oldest delivery is due of those that may be tried now; NaN where Postgres does not tell',
        registers,
        async collect () {
          const served = [...endpoints()].filter(({ inFlight }) => inFlight > 0).map(({ id }) => id)
          oldestDue.set(await oldestDueSeconds(sql, served).catch(() => NaN))
        }
      })
    }
  }
}

function stateOf (endpoint: Endpoint): typeof STATES[number] {
  if (endpoint.isCircuitOpen) return 'shut'
  return endpoint.isFailing ? 'failing' : 'healthy'
}
