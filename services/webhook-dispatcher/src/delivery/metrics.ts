import { boundedMeasure, prom, type MetricsRegistry } from '@tidings/service-kit'
import type { Sql } from '../db/sql.ts'
import { OWN_FAULTS, type OwnFaultReason } from '../egress/own-fault.ts'
import type { Attempt, Task } from './attempt/task.ts'
import { oldestDueSeconds } from './claim/oldest-due.ts'
import type { Endpoint } from './scheduler/endpoint.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
const ENDPOINT_STATES = ['healthy', 'failing', 'circuit_open'] as const

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>

/** The metrics of delivery. */
export function createDeliveryMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  const attempts = new prom.Counter({
    name: 'tidings_webhook_attempts_total',
    help: 'Attempts by outcome: success, or the error class',
    labelNames: ['outcome'],
    registers
  })
  const latency = new prom.Histogram({
    name: 'tidings_webhook_latency_seconds',
    help: 'Time from an event to its 2xx; tests, redeliveries and replays are not counted',
    buckets: SECONDS,
    registers
  })
  const lateness = new prom.Histogram({
    name: 'tidings_webhook_retry_lateness_seconds',
    help: 'Time from the due time of a retry to its start',
    buckets: SECONDS,
    registers
  })
  const ownFaults = new prom.Counter({
    name: 'tidings_webhook_own_faults_total',
    help: 'Deliveries released without an attempt because of a fault of this service',
    labelNames: ['reason'],
    registers
  })
  for (const reason of OWN_FAULTS) ownFaults.inc({ reason }, 0)

  return {
    released (reason: OwnFaultReason): void {
      ownFaults.inc({ reason })
    },
    attempted (task: Task, { startedAt, outcome }: Attempt): void {
      attempts.inc({ outcome: outcome.ok ? 'success' : outcome.errorClass ?? 'unknown' })
      if (task.attempt > 1) lateness.observe(Math.max(0, startedAt - task.dueAt) / 1000)
      // A test has no event, and the event of a redelivery or replay may be days old.
      if (outcome.ok && task.orderingKey !== null) latency.observe(Math.max(0, Date.now() - task.acceptedAt) / 1000)
    },
    /** Gauges that are computed when they are read. */
    watch (endpoints: () => Iterable<Endpoint>, sql: Sql): void {
      const measure = boundedMeasure()
      const inFlight = new prom.Gauge({
        name: 'tidings_webhook_in_flight',
        help: 'Attempts in flight by the state of their endpoint',
        labelNames: ['endpoint'],
        registers,
        collect () {
          const counts = { healthy: 0, failing: 0, circuit_open: 0 }
          for (const endpoint of endpoints()) counts[stateOf(endpoint)] += endpoint.inFlight
          for (const state of ENDPOINT_STATES) inFlight.set({ endpoint: state }, counts[state])
        }
      })
      const oldestDue = new prom.Gauge({
        name: 'tidings_webhook_oldest_due_seconds',
        help: 'How long the oldest delivery that may be tried now has been due; NaN where Postgres does not answer',
        registers,
        async collect () {
          const served = [...endpoints()].filter(({ inFlight }) => inFlight > 0).map(({ id }) => id)
          oldestDue.set(await measure('oldest due', async () => await oldestDueSeconds(sql, served)))
        }
      })
    }
  }
}

function stateOf ({ circuit }: Endpoint): typeof ENDPOINT_STATES[number] {
  switch (circuit) {
    case 'closed': return 'healthy'
    case 'failing': return 'failing'
    case 'throttled':
    case 'open':
    case 'half-open': return 'circuit_open'
    default: return circuit satisfies never
  }
}
