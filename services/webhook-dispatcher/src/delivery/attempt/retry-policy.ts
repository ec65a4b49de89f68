import type { AttemptOutcome } from '../../egress/outcome.ts'
import type { Decision, Task } from './task.ts'

export type RetryPolicy = {
  /** Pauses between attempts in milliseconds; after the last one the delivery has failed. */
  scheduleMs: number[]
  /** The longest Retry-After that is honoured. */
  retryAfterMaxMs: number
}

/** Spreads the retries of deliveries that failed together; only upward, so never earlier than scheduled. */
const JITTER = 0.2
const GONE = 410
const THROTTLED = new Set([429, 502, 503, 504])
/** The pause of a throttled endpoint that names no time. */
const THROTTLE_PAUSE_MS = 1000
/** Until every replica has read that the webhook is disabled. */
const GONE_PAUSE_MS = 10_000

/** The next state of a delivery after its `attempt`-th attempt. */
export function decide (outcome: AttemptOutcome, attempt: number, policy: RetryPolicy, now = Date.now()): Decision {
  if (outcome.ok) return { state: 'delivered' }
  const delayMs = isGone(outcome) ? undefined : retryDelayMs(outcome, attempt, policy)
  return delayMs === undefined ? { state: 'failed' } : { state: 'pending', dueAt: now + delayMs }
}

/**
 * The delay before the next attempt: the schedule's pause with jitter, or Retry-After where that is longer; undefined
 * after the last attempt.
 */
function retryDelayMs (
  { retryAfterMs = 0 }: AttemptOutcome, attempt: number, { scheduleMs, retryAfterMaxMs }: RetryPolicy
): number | undefined {
  const pauseMs = scheduleMs[attempt - 1]
  if (pauseMs === undefined) return undefined
  return Math.max(pauseMs * (1 + Math.random() * JITTER), Math.min(retryAfterMs, retryAfterMaxMs))
}

/** The endpoint says that it will never accept a delivery again. */
export function isGone ({ status }: AttemptOutcome): boolean {
  return status === GONE
}

/** One job's URL is gone, which says nothing about the URLs of other jobs at the same origin. */
export function isEndOfJobUrl ({ url }: Pick<Task, 'url'>, outcome: AttemptOutcome): boolean {
  return url !== null && isGone(outcome)
}

/** Until when a throttling or gone endpoint gets no attempts; undefined where it is neither. */
export function pausedUntil (
  { status, retryAfterMs }: AttemptOutcome, { retryAfterMaxMs }: RetryPolicy, now = Date.now()
): number | undefined {
  if (status === GONE) return now + GONE_PAUSE_MS
  if (status === undefined || !THROTTLED.has(status)) return undefined
  return now + Math.min(retryAfterMs ?? THROTTLE_PAUSE_MS, retryAfterMaxMs)
}
