import { boundedMeasure, prom, type MetricsRegistry } from '@tidings/service-kit'

export type FanOutMetrics = ReturnType<typeof createFanOutMetrics>

/** The metrics of fan-out. */
export function createFanOutMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  const gaps = new prom.Counter({
    name: 'tidings_webhook_fan_out_gaps_total',
    help: 'Ranges of the stream that were trimmed before they could be read',
    labelNames: ['reason'],
    registers
  })
  const events = new prom.Counter({
    name: 'tidings_webhook_fan_out_events_total', help: 'Events that matched at least one webhook', registers
  })
  const batches = new prom.Counter({
    name: 'tidings_webhook_fan_out_batches_total',
    help: 'Batches by outcome: written, or lost to another replica',
    labelNames: ['outcome'],
    registers
  })
  const skipped = new prom.Counter({
    name: 'tidings_webhook_fan_out_skipped_total',
    help: 'Events that were skipped: malformed, or refused by Postgres',
    labelNames: ['reason'],
    registers
  })

  return {
    skipped: (reason: 'malformed' | 'refused', count: number): void => skipped.inc({ reason }, count),
    gap: (reason: 'trimmed' | 'epoch'): void => gaps.inc({ reason }),
    written: (matched: number): void => {
      events.inc(matched)
      batches.inc({ outcome: 'written' })
    },
    fenced: (): void => batches.inc({ outcome: 'lost' }),
    /** Gauges that are computed when they are read. */
    watch (active: () => number, lag: () => Promise<number>): void {
      const measure = boundedMeasure()
      const lagGauge = new prom.Gauge({
        name: 'tidings_webhook_fan_out_lag_seconds',
        help: 'Age difference of the newest event and the last one read, over all replicas; NaN while a store is away',
        registers,
        async collect () { lagGauge.set(await measure('lag', lag)) }
      })
      const shards = new prom.Gauge({
        name: 'tidings_webhook_fan_out_shards',
        help: 'Shards that this replica reads',
        registers,
        collect () { shards.set(active()) }
      })
    }
  }
}
