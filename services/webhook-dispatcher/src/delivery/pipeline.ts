import type { FastifyBaseLogger } from 'fastify'
import type { Loops, RawSql } from '@tidings/service-kit'
import type { Attempter } from '../egress/attempt.ts'
import { createOwnFaults } from './attempt/own-faults.ts'
import type { RetryPolicy } from './attempt/retry-policy.ts'
import { createSender } from './attempt/send.ts'
import { createDuePoller } from './claim/due-poller.ts'
import { createWorkerLease } from './claim/worker-lease.ts'
import type { DeliveryMetrics } from './metrics.ts'
import type { HealthPolicy } from './outcomes/circuit-breaker.ts'
import { createOutcomeEffects } from './outcomes/outcome-effects.ts'
import { createOutcomeWriter } from './outcomes/outcome-writer.ts'
import type { ConcurrencyCaps } from './scheduler/concurrency-limits.ts'
import { createDeliveryScheduler } from './scheduler/delivery-scheduler.ts'
import { createEndpointRegistry } from './scheduler/endpoint-registry.ts'

/** Added to the deadline of an attempt before another replica may probe. */
const PROBE_GRACE_MS = 5000

/** How long attempts in flight may take to end, however long their deadline is: a close has 25 s in all. */
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
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
}

export type DeliveryPipeline = ReturnType<typeof createDeliveryPipeline>

/**
 * The parts of delivery, in the order in which a due delivery passes them:
 * claimed under this worker's lease, scheduled at its endpoint, sent, and its
 * outcome written.
 */
export function createDeliveryPipeline (options: DeliveryPipelineOptions) {
  const {
    sql, openConnection, attempt, openSecret, policy, limits, timeoutMs, progressLagMs, leaseMs, metrics, loops, log
  } = options
  const giveUp = new AbortController()
  const endpoints = createEndpointRegistry(limits.perEndpoint)
  const effects = createOutcomeEffects({ endpoints, policy })
  const lease = createWorkerLease({ openConnection, leaseMs, onRestored: endpoints.clear, loops, log })
  const outcomeWriter = createOutcomeWriter({ sql, effects, loops, log, onDue: at => poller.wakeAt(at) })
  const ownFaults = createOwnFaults({ metrics, log })
  const scheduler = createDeliveryScheduler({
    limits,
    progressLagMs,
    send: createSender({ attempt, openSecret, policy, timeoutMs, metrics, ownFaults, signal: giveUp.signal, log }),
    isStillOurs: task => task.workerId === lease.workerId,
    onSlotFree: endpoint => {
      if (endpoint.hasBacklog && endpoint.capacity >= endpoint.concurrency) poller.wake()
    },
    onError: err => log.error({ err }, 'delivery: a run ended by an internal fault')
  })
  const poller = createDuePoller({
    sql,
    lease,
    endpoints,
    scheduler,
    outcomeWriter,
    maxRuns: limits.total,
    probeMs: timeoutMs + PROBE_GRACE_MS,
    loops,
    log
  })

  return {
    endpoints,
    lease,
    outcomeWriter,
    scheduler,
    /** A delivery is due now. */
    wake: poller.wake,
    async start (this: void): Promise<void> {
      await lease.start()
      poller.start()
    },
    /** Stops claiming, lets attempts in flight end, and releases everything else. */
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
