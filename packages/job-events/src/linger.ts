import { pause } from '@tidings/service-kit/async'

/**
 * Keeps batches at least `ms` apart while events keep coming (`linger.ms` of Kafka). A lone event is handled at once;
 * those that follow closely are handled together. At 500 events a second, one batch an event costs 2.5 ms of two cores
 * for each, most of it in Postgres; with a few milliseconds between batches it is 1.4 ms.
 */
export function createLinger (ms: number) {
  let lastBatchAt = -Infinity

  return {
    /** Notes that a batch had events. */
    note (): void {
      lastBatchAt = performance.now()
    },
    /** Resolves once the last batch with events is `ms` old; an abort ends the wait early. */
    async over (signal?: AbortSignal): Promise<void> {
      const restMs = lastBatchAt + ms - performance.now()
      if (restMs > 0) await pause(restMs, signal)
    }
  }
}
