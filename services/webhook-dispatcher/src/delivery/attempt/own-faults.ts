import type { FastifyBaseLogger } from 'fastify'
import { OwnFault, type OwnFaultReason } from '../../egress/own-fault.ts'

/** The first pause, doubled each time the fault is still there after it. */
const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 30_000
/** A secret stays unreadable until the process is started with the key. */
const SECRET_PAUSE_MS = 60_000
/** What was released together must not come together again. */
const JITTER = 0.2
/** One line a reason, with the number of those that it stands for. */
const LOG_EVERY_MS = 5000

export type OwnFaults = ReturnType<typeof createOwnFaults>

type State = { pauseMs: number, until: number, loggedAt: number, released: number }

/** Counts and logs deliveries that were released because of a fault of ours, and says when they may be tried again. */
export function createOwnFaults ({ metrics, log }: { metrics: { released: (reason: OwnFaultReason) => void }, log: FastifyBaseLogger }) {
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
    log.error({ err: fault, reason: fault.reason, released: state.released, webhookId }, 'delivery: released, the fault is ours')
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
    /** An attempt reached its endpoint: the next fault begins with a short pause again. */
    clear (): void {
      if (states.size === 0) return
      for (const state of states.values()) state.pauseMs = 0
    }
  }
}
