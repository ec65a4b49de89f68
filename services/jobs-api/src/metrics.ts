import { prom, type MetricsRegistry } from '@tidings/service-kit'

export type EngineMetrics = ReturnType<typeof engineMetrics>

/** Metrics of relay, projector, reconciliation, outbox and retention. Labels: the queues of JOB_QUEUES, and closed sets. */
export function engineMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  const perQueue = (name: string, help: string) => new prom.Counter({ name, help, labelNames: ['queue'] as const, registers })
  const plain = (name: string, help: string) => new prom.Counter({ name, help, registers })
  return {
    relayed: perQueue('tidings_relay_events_total', 'Events appended to the stream'),
    late: perQueue('tidings_relay_late_events_total', 'Events of finished jobs, left out'),
    unowned: perQueue('tidings_relay_unowned_events_total', 'Events of jobs without an owner, left out'),
    refusedOwners: perQueue('tidings_relay_refused_owners_total', 'Jobs of other producers whose data names a user that can own none, or is too large to be searched'),
    malformed: perQueue('tidings_relay_malformed_entries_total', 'Entries that could not be understood, stepped over'),
    badItems: new prom.Counter({ name: 'tidings_bad_items_total', help: 'Items that a loop had to skip, recorded in jobs.bad_items', labelNames: ['consumer', 'queue'] as const, registers }),
    lost: perQueue('tidings_relay_lost_entries_total', 'Entries that BullMQ trimmed before they were read'),
    batches: perQueue('tidings_relay_batches_total', 'Batches moved'),
    large: new prom.Counter({ name: 'tidings_relay_large_results_total', help: 'Results and errors too large for an event, by whether they are kept beside it', labelNames: ['queue', 'kept'] as const, registers }),
    trimmed: perQueue('tidings_stream_trimmed_events_total', 'Events cut off because the stream was larger than its bound, by the queue whose relay did so'),
    refused: perQueue('tidings_relay_refused_appends_total', 'Batches that another replica had moved already'),
    repairedHistories: perQueue('tidings_relay_repaired_histories_total', 'Histories that had to be begun anew'),
    projected: plain('tidings_projector_events_total', 'Events projected'),
    steppedOver: plain('tidings_projector_refused_events_total', 'Events that Postgres refused or that were malformed, stepped over'),
    overtaken: plain('tidings_projector_overtaken_total', 'Times the stream was trimmed or lost before it was projected'),
    reconciled: new prom.Counter({ name: 'tidings_reconciled_jobs_total', help: 'Jobs concluded by comparison with BullMQ', labelNames: ['queue', 'conclusion'] as const, registers }),
    swept: perQueue('tidings_outbox_added_jobs_total', 'Jobs that the sweeper added'),
    retired: plain('tidings_retention_removed_jobs_total', 'Finished jobs removed by retention')
  }
}

/** How far the rows are behind the stream, asked when Prometheus asks. */
export function projectorLag (registry: MetricsRegistry, lagMs: () => Promise<number>) {
  return new prom.Gauge({
    name: 'tidings_projector_lag_milliseconds',
    help: 'By how much the newest event is younger than the newest projected one',
    registers: [registry],
    async collect () { this.set(await lagMs()) }
  })
}

/** What waits for the relay, asked when Prometheus asks: a relay that stands still would not tell of it. */
export function unreadGauge (registry: MetricsRegistry, queues: string[], unread: (queue: string) => Promise<number | undefined>) {
  return new prom.Gauge({
    name: 'tidings_relay_unread_entries',
    help: 'Entries of BullMQ that wait for the relay',
    labelNames: ['queue'] as const,
    registers: [registry],
    async collect () {
      await Promise.all(queues.map(async queue => {
        const now = await unread(queue)
        if (now !== undefined) this.set({ queue }, now)
      }))
    }
  })
}

type Size = { events: number, bytes: number }

/** How large the stream is, asked when Prometheus asks; while that can't be told, as it was. */
export function streamSize (registry: MetricsRegistry, size: () => Promise<Size | undefined>) {
  // Each asks for itself: none waits for what another collects.
  const gauge = (name: string, help: string, valueOf: (now: Size) => number) => new prom.Gauge({
    name,
    help,
    registers: [registry],
    async collect () {
      const now = await size()
      if (now) this.set(valueOf(now))
    }
  })
  gauge('tidings_stream_events', 'Events in the stream', ({ events }) => events)
  gauge('tidings_stream_bytes', 'What the stream of job events takes of Redis\' memory', ({ bytes }) => bytes)
}

/** Long polls that are held, counted when Prometheus asks. */
export function longPollsHeld (registry: MetricsRegistry, count: () => number) {
  return new prom.Gauge({
    name: 'tidings_long_polls_held',
    help: 'Requests that wait for a job to change',
    registers: [registry],
    collect () { this.set(count()) }
  })
}

/** Requests refused because there was too much to do. */
export function requestsShed (registry: MetricsRegistry) {
  return new prom.Counter({ name: 'tidings_requests_shed_total', help: 'Requests refused because there was too much to do', registers: [registry] })
}
