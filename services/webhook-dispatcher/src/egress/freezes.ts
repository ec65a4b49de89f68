/**
 * How often this process records that it runs, and by how much a record must be late to be a freeze: more than on a
 * busy machine.
 */
const TICK_MS = 250
const FREEZE_MS = 1000
/** More than these are not needed: an attempt ends within a minute. The oldest are dropped. */
const MAX_KNOWN = 100

type Freeze = { from: number, ms: number }

/** When this process did not run: it was stopped, its machine was suspended, or its event loop was blocked. */
export type Freezes = {
  /** How long it did not run since a time of `performance.now()`, in milliseconds; usually 0. */
  since (started: number): number
  close (): void
}

/**
 * Detects freezes with a timer. After a stopped process continues, the monotonic clock has advanced; after a suspended
 * machine resumes, possibly only the time of day has. A clock that was set forward looks the same, which is harmless:
 * it only excuses attempts that failed at that moment.
 */
export function createFreezes ({ now = () => performance.now(), today = () => Date.now() } = {}): Freezes {
  const known: Freeze[] = []
  let at = now()
  let day = today()

  function look (): void {
    const [seenAt, seenDay] = [now(), today()]
    const ms = Math.max(seenAt - at, seenDay - day) - TICK_MS
    if (ms >= FREEZE_MS) known.push({ from: at, ms })
    if (known.length > MAX_KNOWN) known.shift()
    at = seenAt
    day = seenDay
  }

  const timer = setInterval(look, TICK_MS)
  timer.unref()
  return {
    since (started) {
      look() // the timers of attempts may be first to run after a freeze
      // A freeze that began before the attempt did not delay it.
      return known.reduce((sum, { from, ms }) => from + TICK_MS + ms > started ? sum + ms : sum, 0)
    },
    close: () => clearInterval(timer)
  }
}
