import { limitStep, withTimeout } from './async.ts'

/** Prometheus gives up on a scrape after ten seconds, and loses all metrics of the process then. */
const MEASURE_MS = 1000

/**
 * Measures values in a store when metrics are read; NaN where it fails, or takes longer than a second: a store that
 * does not answer must not hold up the metrics that say so. While a measurement waits, no second one is started for its
 * key, for a minute at most.
 */
export function boundedMeasure (timeoutMs = MEASURE_MS, pendingMs?: number) {
  const pending = new Map<string, Promise<number>>()

  return async function measure (key: string, query: () => Promise<number>): Promise<number> {
    const running = pending.get(key) ??
      limitStep(query(), pendingMs).catch(() => NaN).finally(() => { pending.delete(key) })
    pending.set(key, running)
    return await withTimeout(running, timeoutMs, () => NaN)
  }
}
