import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'
import type { Attempter } from '../egress/attempt.ts'
import { createAftermath } from './aftermath.ts'
import { createClaimant } from './claimant.ts'
import { createClaimer } from './claimer.ts'
import { createEndpoints } from './endpoints.ts'
import type { HealthPolicy } from './health.ts'
import { createLanes } from './lanes.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { createOwnFaults } from './own-faults.ts'
import { createPoster } from './post.ts'
import { createRecorder } from './recorder.ts'
import type { SlotLimits } from './slots.ts'
import type { RetryPolicy } from './verdict.ts'

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
