import type { DeliverySummary } from 'tidings'

/** An attempt is due: its outcome is a matter of moments. */
const DUE_MS = 1500
/** Between two requests where nothing is expected. */
export const IDLE_MS = 30_000

export type Attempted = Pick<DeliverySummary, 'status' | 'nextAttemptAt'>

/** Until deliveries may have changed, in milliseconds; undefined where none of them is pending. */
export function untilNextAttempt (deliveries: Attempted[], now = Date.now()): number | undefined {
  const pending = deliveries.filter(({ status }) => status === 'pending')
  if (pending.length === 0) return undefined
  // Without a time it waits for its webhook to be active again.
  const next = Math.min(...pending.map(({ nextAttemptAt }) =>
    nextAttemptAt === null ? Infinity : Date.parse(nextAttemptAt)))
  return Math.min(IDLE_MS, Math.max(DUE_MS, next - now))
}
