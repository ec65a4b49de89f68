import type { FastifyBaseLogger } from 'fastify'
import { OwnFault, type OwnFaultReason } from '../../egress/own-fault.ts'

/** The first pause; doubled each time the fault persists after it. */
const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 30_000
/** A secret stays unreadable until the process is restarted with its key. */
const SECRET_PAUSE_MS = 60_000
/** Spreads the retries of deliveries that were released together. */
const JITTER = 0.2
/** At most one line per reason in this time, with the number of deliveries released since the last. */
const LOG_EVERY_MS = 5000

export type OwnFaults = ReturnType<typeof createOwnFaults>

type State = { pauseMs: number, until: number, loggedAt: number, released: number }

type OwnFaultsOptions = { metrics: { released: (reason: OwnFaultReason) => void }, log: FastifyBaseLogger }

/** Counts and logs deliveries released because of a fault of this service, and decides when they may be tried again. */
export function createOwnFaults ({ metrics, log }: OwnFaultsOptions) {
  const states = new Map<OwnFaultReason, State>()

  function record (err: unknown, webhookId: number): number {
    const fault = err instanceof OwnFault ? err : new OwnFault('internal', 'A delivery was not possible', err)
    const state = states.get(fault.reason) ?? { pauseMs: 0, until: 0, loggedAt: -Infinity, released: 0 }
    states.set(fault.reason, state)
    metrics.released(fault.reason)
    state.released++
    report(fault, webhookId, state)
    return dueAt(fault, state)
  }

  function report (fault: OwnFault, webhookId: number, state: State): void {
    const now = performance.now()
    if (now - state.loggedAt < LOG_EVERY_MS) return
    const { released } = state
    log.error({ err: fault, reason: fault.reason, released, webhookId }, 'delivery: released because of an own fault')
    state.loggedAt = now
    state.released = 0
  }

  function dueAt ({ reason }: OwnFault, state: State): number {
    const now = Date.now()
    if (reason === 'secret') return now + SECRET_PAUSE_MS
    if (now >= state.until || state.until > now + MAX_PAUSE_MS) {
      state.pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * state.pauseMs))
      state.until = now + state.pauseMs
    }
    return state.until + Math.random() * JITTER * state.pauseMs
  }

  return {
    record,
    /** An attempt reached its endpoint: the next fault starts with a short pause again. */
    clear (): void {
      if (states.size === 0) return
      for (const state of states.values()) state.pauseMs = 0
    }
  }
}
