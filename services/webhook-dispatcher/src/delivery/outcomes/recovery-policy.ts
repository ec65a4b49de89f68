import type { Config } from '../../config.ts'
import { durationMs } from '../../duration.ts'

/** The longest pause between two probes of a failing endpoint: its return is noticed after this time at the latest. */
const MAX_PAUSE_MS = 10 * 60_000

export type RecoveryPolicy = {
  /** Deliveries that failed longer ago are not due again. */
  windowMs: number
  /** The pause before the first probe, and before a delivery is due a second time; both grow. */
  pauseMs: number
  maxPauseMs: number
}

/** How endpoints recover; undefined where that is off. The window ends with the payload's retention at the latest. */
export function recoveryPolicy (config: Config): RecoveryPolicy | undefined {
  const windowMs = Math.min(durationMs(config.WEBHOOK_RECOVERY_WINDOW), durationMs(config.WEBHOOK_PAYLOAD_RETENTION))
  const lastPauseMs = durationMs(config.WEBHOOK_RETRY_SCHEDULE.split(',').at(-1) ?? '')
  return windowMs > 0 ? { windowMs, pauseMs: lastPauseMs, maxPauseMs: MAX_PAUSE_MS } : undefined
}
