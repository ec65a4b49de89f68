import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'
import type { Attempter } from '../egress/attempt.ts'
import { createOutcomeEffects } from './outcomes/outcome-effects.ts'
import { createWorkerLease } from './claim/worker-lease.ts'
import { createDuePoller } from './claim/due-poller.ts'
import { createEndpointRegistry } from './scheduler/endpoint-registry.ts'
import type { HealthPolicy } from './outcomes/circuit-breaker.ts'
import { createDeliveryScheduler } from './scheduler/delivery-scheduler.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { createOwnFaults } from './attempt/own-faults.ts'
import { createSender } from './attempt/send.ts'
import { createOutcomeWriter } from './outcomes/outcome-writer.ts'
import type { ConcurrencyCaps } from './scheduler/concurrency-limits.ts'
import type { RetryPolicy } from './attempt/retry-policy.ts'

/** Beside the attempt's deadline, before another replica may probe. */
const PROBE_GRACE_MS = 5000

/** What is in flight has so long to end, however long its deadline is: a close has 25 s for all. */
const LAST_ATTEMPTS_MS = 10_000

/** How long a close waits for a Postgres that does not take the last outcomes. */
export const LAST_WRITE_MS = 5000

export type DeliveryPipelineOptions = {
  sql: RawSql
  openConnection: (onLost: () => void) => RawSql
  attempt: Attempter
  openSecret: (ciphertext: string) => string
  policy: HealthPolicy & RetryPolicy
  limits: ConcurrencyCaps & { perEndpoint: number }
  timeoutMs: number
  progressLagMs: number
  leaseMs: number
  metrics: DeliveryMetrics
  log: FastifyBaseLogger
}

export type DeliveryPipeline = ReturnType<typeof createDeliveryPipeline>

/**
 * The parts of delivery, in the order in which a delivery meets them: claimed
 * under this process' name, queued in its endpoint's lane, posted, recorded.
 */
export function createDeliveryPipeline ({ sql, openConnection, attempt, openSecret, policy, limits, timeoutMs, progressLagMs, leaseMs, metrics, log }: DeliveryPipelineOptions) {
  const giveUp = new AbortController()
  const endpoints = createEndpointRegistry(limits.perEndpoint)
  const effects = createOutcomeEffects({ endpoints, policy })
  const lease = createWorkerLease({ openConnection, leaseMs, log })
  const outcomeWriter = createOutcomeWriter({ sql, effects, log, onDue: at => poller.wakeAt(at) })
  const scheduler = createDeliveryScheduler({
    limits,
    progressLagMs,
    send: createSender({ attempt, openSecret, policy, timeoutMs, metrics, ownFaults: createOwnFaults({ metrics, log }), signal: giveUp.signal, log }),
    isStillOurs: task => task.workerId === lease.workerId,
    onSlotFree: endpoint => { if (endpoint.hasBacklog && endpoint.capacity >= endpoint.concurrency) poller.wake() },
    onError: err => log.error({ err }, 'delivery: a run ended by a fault of ours')
  })
  const poller = createDuePoller({
    sql, lease, endpoints, scheduler, outcomeWriter, maxRuns: limits.total, probeMs: timeoutMs + PROBE_GRACE_MS, log
  })

  return {
    endpoints,
    effects,
    lease,
    outcomeWriter,
    scheduler,
    /** Something is due now. */
    wake: poller.wake,
    wakeAt: poller.wakeAt,
    async start (this: void): Promise<void> {
      await lease.start()
      poller.start()
    },
    /** Claims no more, lets what is in flight end, and gives back all that is left. */
    async stop (this: void): Promise<void> {
      await poller.stop()
      scheduler.close()
      const timer = setTimeout(() => giveUp.abort(), Math.min(timeoutMs, LAST_ATTEMPTS_MS))
      await scheduler.idle()
      clearTimeout(timer)
      await outcomeWriter.drain(LAST_WRITE_MS)
      await lease.stop()
    }
  }
}
