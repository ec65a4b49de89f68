/**
 * How often it is noted that this process runs, and how much later than that is a freeze: more than a busy machine
 * takes.
 */
const TICK_MS = 250
const FREEZE_MS = 1000
/** Beyond these the oldest are forgotten: an attempt ends within a minute. */
const MAX_KNOWN = 100

type Freeze = { from: number, ms: number }

/** When this process did not run: it was stopped, its machine was suspended, or its event loop was blocked. */
export type Freezes = {
  /** For how long of the time since a moment of `performance.now()`; 0 while all is well. */
  since (started: number): number
  close (): void
}

/**
 * Watches for freezes by a timer. A stopped process finds the monotonic clock
 * advanced; a suspended machine may find it where it stood, and the time of day
 * advanced. A clock that was set forward is taken for that too: no harm, it only
 * excuses attempts that failed at that moment.
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
      // One that began before the attempt can't have held it up.
      return known.reduce((sum, { from, ms }) => from + TICK_MS + ms > started ? sum + ms : sum, 0)
    },
    close: () => clearInterval(timer)
  }
}
