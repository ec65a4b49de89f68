import { limitStep } from './async.ts'

type Log = { error (fields: object, message: string): void, warn (fields: object, message: string): void }

const EVERY_MS = 1000
const TIMEOUT_MS = 30_000
/** More than the look-ups take that reach their timeouts; then the source counts as silent. */
const LOOK_TIMEOUT_MS = 60_000

export type StallOptions = {
  /** Names the consumer in the log and in the reason: `relay of default`. */
  what: string
  /** The consumer's position, as a text that changes with every step. */
  position: () => Promise<string> | string
  /** Whether its source has more. A rejection means that the source does not answer: then nothing is reported. */
  isBehind: () => Promise<boolean> | boolean
  /** The reason, as far as the consumer knows it: its last error. */
  reason?: () => string | undefined
  log: Log
  /** How long a consumer may stay at one position while its source has more. */
  timeoutMs?: number
  everyMs?: number
  lookTimeoutMs?: number
}

export type StallWatch = {
  /** The reason for a readiness check; undefined while the consumer moves or has nothing to do. */
  fault (this: void): string | undefined
  stop (this: void): void
}

/**
 * Watches a consumer of a stream and reports a stall (no progress while its source advances): by `fault()` for
 * `/readyz`, and by a line in the log, with another one when it moves again. It costs two look-ups a second, and
 * reports nothing while the source is away or the consumer has read everything.
 *
 * ```ts
 * const stall = watchForStall({
 *   what: 'tail',
 *   position: () => formatEventId(tail.position),
 *   isBehind: async () => await hasNewer(redis, tail.position), // @tidings/job-events
 *   reason: () => consumer.fault?.message,
 *   log
 * })
 * app.addReadinessCheck('tail stall', 'required', stall.fault)
 * app.addHook('onClose', async () => stall.stop())
 * ```
 */
export function watchForStall (
  {
    what, position, isBehind, reason, log, timeoutMs = TIMEOUT_MS, everyMs = EVERY_MS, lookTimeoutMs = LOOK_TIMEOUT_MS
  }: StallOptions
): StallWatch {
  let stalled: { at: string, since: number } | undefined
  let isReported = false
  let isLooking = false
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    limitStep(look(), lookTimeoutMs).catch(() => { stalled = undefined }).finally(() => { isLooking = false })
  }, everyMs).unref()

  async function look (): Promise<void> {
    const at = await position()
    const isNow = await isBehind()
    if (!isNow || stalled?.at !== at) {
      stalled = isNow ? { at, since: performance.now() } : undefined
      if (isReported) log.warn({ what, position: at }, 'stall: the consumer moves again')
      isReported = false
      return
    }
    const text = fault()
    if (text === undefined || isReported) return
    isReported = true
    log.error({ what, position: at, reason: reason?.() }, 'stall: the consumer does not move while its source advances')
  }

  function fault (): string | undefined {
    if (!stalled) return undefined
    const ms = performance.now() - stalled.since
    if (ms < timeoutMs) return undefined
    return `${what} is stalled at ${stalled.at} for ${Math.round(ms / 1000)} s while its source advances: ` +
      (reason?.() ?? 'the reason is not known')
  }

  return { fault, stop: () => clearInterval(timer) }
}
