type Log = { error (fields: object, message: string): void, warn (fields: object, message: string): void }

const EVERY_MS = 1000
const PATIENCE_MS = 30_000

export type StallOptions = {
  /** Names the consumer in the log and in the reason: `relay of default`. */
  what: string
  /** Where the consumer stands, as a text that changes with every step. */
  position: () => Promise<string> | string
  /** Whether its source has more than that. A rejection means that the source cannot be asked: nothing is known then. */
  isBehind: () => Promise<boolean> | boolean
  /** Why, as far as the consumer knows: the error of its last try. */
  reason?: () => string | undefined
  log: Log
  /** How long a consumer may stand at one position while its source has more. */
  patienceMs?: number
  everyMs?: number
}

export type StallWatch = {
  /** The reason for a readiness check; undefined while the consumer moves or has nothing to do. */
  fault (this: void): string | undefined
  stop (this: void): void
}

/**
 * Watches a consumer of a stream and reports that it stands still while its
 * source advances: by `fault()` for `/readyz`, and by one line in the log, with
 * another one when it moves again. It costs two look-ups a second, and says
 * nothing while the source is away or the consumer has read everything.
 *
 * ```ts
 * const standstill = watchForStall({
 *   what: 'tail',
 *   position: () => formatEventId(tail.position),
 *   isBehind: async () => await hasNewer(redis, tail.position), // @tidings/job-events
 *   reason: () => follower.fault?.message,
 *   log
 * })
 * app.addReadinessCheck('tail standstill', 'required', standstill.fault)
 * app.addHook('onClose', async () => standstill.stop())
 * ```
 */
export function watchForStall ({ what, position, isBehind, reason, log, patienceMs = PATIENCE_MS, everyMs = EVERY_MS }: StallOptions): StallWatch {
  let stands: { at: string, since: number } | undefined
  let isReported = false
  let isLooking = false
  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    look().catch(() => { stands = undefined }).finally(() => { isLooking = false })
  }, everyMs).unref()

  async function look (): Promise<void> {
    const at = await position()
    const isNow = await isBehind()
    if (!isNow || stands?.at !== at) {
      stands = isNow ? { at, since: performance.now() } : undefined
      if (isReported) log.warn({ what, position: at }, 'standstill: it moves again')
      isReported = false
      return
    }
    const text = fault()
    if (text === undefined || isReported) return
    isReported = true
    log.error({ what, position: at, reason: reason?.() }, 'standstill: a consumer does not move while its source advances')
  }

  function fault (): string | undefined {
    if (!stands) return undefined
    const ms = performance.now() - stands.since
    if (ms < patienceMs) return undefined
    return `${what} stands still at ${stands.at} for ${Math.round(ms / 1000)} s while its source advances: ${reason?.() ?? 'the reason is not known'}`
  }

  return { fault, stop: () => clearInterval(timer) }
}
