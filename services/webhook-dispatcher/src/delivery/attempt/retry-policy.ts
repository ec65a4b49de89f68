import type { AttemptOutcome } from '../../egress/outcome.ts'
import type { Task, Decision } from './task.ts'

export type RetryPolicy = {
  /** Pauses between attempts, milliseconds; after the last one the delivery has failed. */
  scheduleMs: number[]
  /** The longest Retry-After that is honoured. */
  retryAfterMaxMs: number
}

/** Retries of many deliveries that failed together must not come together again; only upward, so never earlier than told. */
const JITTER = 0.2
const GONE = 410
const THROTTLED = new Set([429, 502, 503, 504])
/** What a throttled endpoint gets where it names no time. */
const THROTTLE_PAUSE_MS = 1000
/** Until every replica has read that the webhook is disabled. */
const GONE_PAUSE_MS = 10_000

/** What follows for a delivery from its `attempt`-th attempt. */
export function decide (outcome: AttemptOutcome, attempt: number, { scheduleMs, retryAfterMaxMs }: RetryPolicy, now = Date.now()): Decision {
  if (outcome.ok) return { state: 'delivered' }
  const pause = scheduleMs[attempt - 1]
  if (isGone(outcome) || pause === undefined) return { state: 'failed' }
  const asked = Math.min(outcome.retryAfterMs ?? 0, retryAfterMaxMs)
  return { state: 'pending', dueAt: now + Math.max(pause * (1 + Math.random() * JITTER), asked) }
}

/** The endpoint says that it will never take anything again. */
export function isGone ({ status }: AttemptOutcome): boolean {
  return status === GONE
}

/** Of the URLs of jobs at one origin one is gone, and nothing is known of the others. */
export function isEndOfJobUrl ({ url }: Pick<Task, 'url'>, outcome: AttemptOutcome): boolean {
  return url !== null && isGone(outcome)
}

/** Until when an endpoint that says "too much" or "never again" is left alone, undefined where it says neither. */
export function pausedUntil ({ status, retryAfterMs }: AttemptOutcome, { retryAfterMaxMs }: RetryPolicy, now = Date.now()): number | undefined {
  if (status === GONE) return now + GONE_PAUSE_MS
  if (status === undefined || !THROTTLED.has(status)) return undefined
  return now + Math.min(retryAfterMs ?? THROTTLE_PAUSE_MS, retryAfterMaxMs)
}
