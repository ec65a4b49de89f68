import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'
import type { Attempter } from '../egress/attempt.ts'
import { createAftermath } from './outcomes/outcome-effects.ts'
import { createClaimant } from './claim/worker-lease.ts'
import { createClaimer } from './claim/due-poller.ts'
import { createEndpoints } from './scheduler/endpoint-registry.ts'
import type { HealthPolicy } from './outcomes/circuit-breaker.ts'
import { createLanes } from './scheduler/delivery-scheduler.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { createOwnFaults } from './attempt/own-faults.ts'
import { createPoster } from './attempt/send.ts'
import { createRecorder } from './outcomes/outcome-writer.ts'
import type { SlotLimits } from './scheduler/concurrency-limits.ts'
import type { RetryPolicy } from './attempt/retry-policy.ts'

/** Beside the attempt's deadline, before another replica may probe. */
const PROBE_GRACE_MS = 5000

/** What is in flight has so long to end, however long its deadline is: a close has 25 s for all. */
const LAST_ATTEMPTS_MS = 10_000

/** How long a close waits for a Postgres that does not take the last outcomes. */
export const LAST_WRITE_MS = 5000

export type DeliveryOptions = {
  sql: RawSql
  openSession: (onLost: () => void) => RawSql
  attempt: Attempter
  openSecret: (ciphertext: string) => string
  policy: HealthPolicy & RetryPolicy
  limits: SlotLimits & { perEndpoint: number }
  timeoutMs: number
  progressLagMs: number
  leaseMs: number
  metrics: DeliveryMetrics
  log: FastifyBaseLogger
}

export type Delivery = ReturnType<typeof createDelivery>

/**
 * The parts of delivery, in the order in which a delivery meets them: claimed
 * under this process' name, queued in its endpoint's lane, posted, recorded.
 */
export function createDelivery ({ sql, openSession, attempt, openSecret, policy, limits, timeoutMs, progressLagMs, leaseMs, metrics, log }: DeliveryOptions) {
  const giveUp = new AbortController()
  const endpoints = createEndpoints(limits.perEndpoint)
  const aftermath = createAftermath({ endpoints, policy })
  const claimant = createClaimant({ openSession, leaseMs, log })
  const recorder = createRecorder({ sql, aftermath, log, onDue: at => claimer.wakeAt(at) })
  const lanes = createLanes({
    limits,
    progressLagMs,
    post: createPoster({ attempt, openSecret, policy, timeoutMs, metrics, ownFaults: createOwnFaults({ metrics, log }), signal: giveUp.signal, log }),
    isHeld: task => task.claim === claimant.id,
    onFree: endpoint => { if (endpoint.backlog && endpoint.room >= endpoint.window) claimer.wake() },
    onError: err => log.error({ err }, 'delivery: a run ended by a fault of ours')
  })
  const claimer = createClaimer({
    sql, claimant, endpoints, lanes, recorder, maxHeld: limits.total, probeMs: timeoutMs + PROBE_GRACE_MS, log
  })

  return {
    endpoints,
    aftermath,
    claimant,
    recorder,
    lanes,
    /** Something is due now. */
    wake: claimer.wake,
    wakeAt: claimer.wakeAt,
    async start (this: void): Promise<void> {
      await claimant.start()
      claimer.start()
    },
    /** Claims no more, lets what is in flight end, and gives back all that is left. */
    async stop (this: void): Promise<void> {
      await claimer.stop()
      lanes.close()
      const timer = setTimeout(() => giveUp.abort(), Math.min(timeoutMs, LAST_ATTEMPTS_MS))
      await lanes.idle()
      clearTimeout(timer)
      await recorder.drain(LAST_WRITE_MS)
      await claimant.stop()
    }
  }
}
