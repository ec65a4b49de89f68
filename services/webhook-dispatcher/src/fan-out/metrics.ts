import { prom, type MetricsRegistry } from '@tidings/service-kit'

export type FanOutMetrics = ReturnType<typeof createFanOutMetrics>

/** What operators see of ingest. */
export function createFanOutMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  const gaps = new prom.Counter({
    name: 'tidings_webhook_ingest_gaps_total', help: 'Stretches of the stream that were gone before they could be told', labelNames: ['reason'], registers
  })
  const events = new prom.Counter({
    name: 'tidings_webhook_ingest_events_total', help: 'Events that were told to at least one webhook', registers
  })
  const batches = new prom.Counter({
    name: 'tidings_webhook_ingest_batches_total', help: 'Batches by what became of them', labelNames: ['outcome'], registers
  })

  const skipped = new prom.Counter({
    name: 'tidings_webhook_ingest_skipped_total', help: 'Events that were left out: malformed, or refused by Postgres', labelNames: ['reason'], registers
  })

  return {
    skipped: (reason: 'malformed' | 'refused', count: number): void => skipped.inc({ reason }, count),
    gap: (reason: 'trimmed' | 'epoch'): void => gaps.inc({ reason }),
    written: (told: number): void => {
      events.inc(told)
      batches.inc({ outcome: 'written' })
    },
    fenced: (): void => batches.inc({ outcome: 'lost' }),
    watch (active: () => number, lag: () => Promise<number>): void {
      const behind = new prom.Gauge({
        name: 'tidings_webhook_ingest_lag_seconds',
        help: 'By how much the newest event is younger than the newest ingested one, over all replicas; NaN where Redis or Postgres does not tell',
        registers,
        async collect () { behind.set(await lag().catch(() => NaN)) }
      })
      const shards = new prom.Gauge({
        name: 'tidings_webhook_ingest_shards', help: 'Shards that this replica reads', registers, collect () { shards.set(active()) }
      })
    }
  }
}
