import type { Config } from '../../config.ts'
import { durationMs } from '../../duration.ts'

/** The longest pause between two probes of an endpoint that fails: so long after its return it is noticed at the latest. */
const MAX_PAUSE_MS = 10 * 60_000

export type RecoveryPolicy = {
  /** What failed for good longer ago is due no more. */
  windowMs: number
  /** The pause before the first probe, and before a delivery is due a second time; both grow. */
  pauseMs: number
  maxPauseMs: number
}

/** How endpoints recover; undefined where that is off. A payload that is gone can't be delivered. */
export function recoveryPolicy ({ WEBHOOK_RECOVERY_WINDOW, WEBHOOK_PAYLOAD_RETENTION, WEBHOOK_RETRY_SCHEDULE }: Config): RecoveryPolicy | undefined {
  const windowMs = Math.min(durationMs(WEBHOOK_RECOVERY_WINDOW), durationMs(WEBHOOK_PAYLOAD_RETENTION))
  const lastPauseMs = durationMs(WEBHOOK_RETRY_SCHEDULE.split(',').at(-1) ?? '')
  return windowMs > 0 ? { windowMs, pauseMs: lastPauseMs, maxPauseMs: MAX_PAUSE_MS } : undefined
}
