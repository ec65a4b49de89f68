import { prom, type MetricsRegistry } from '@tidings/service-kit'

export type BackgroundMetrics = ReturnType<typeof backgroundMetrics>

/**
 * Metrics of relay, projector, reconciliation, outbox and retention. Labels: the queues of JOB_QUEUES, and closed sets.
 */
export function backgroundMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  const plain = (name: string, help: string) => new prom.Counter({ name, help, registers })
  const labelled = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new prom.Counter({ name, help, labelNames, registers })
  const perQueue = (name: string, help: string) => labelled(name, help, ['queue'])
  return {
    relayed: perQueue('tidings_relay_events_total', 'Events appended to the stream'),
    late: perQueue('tidings_relay_late_events_total', 'Events of finished jobs, dropped'),
    unowned: perQueue('tidings_relay_unowned_events_total', 'Events of jobs without an owner, dropped'),
    invalidOwners: perQueue('tidings_relay_invalid_owners_total',
      'Jobs of other producers whose data names an invalid user, or is too large to be searched'),
    malformed: perQueue('tidings_relay_malformed_entries_total', 'Malformed entries, skipped'),
    badItems: labelled('tidings_bad_items_total', 'Skipped items, recorded in jobs.bad_items', ['consumer', 'queue']),
    lost: perQueue('tidings_relay_lost_entries_total', 'Entries that BullMQ trimmed before they were read'),
    batches: perQueue('tidings_relay_batches_total', 'Batches relayed'),
    largeValues: labelled('tidings_relay_large_values_total',
      'Progress, results and errors too large for an event, by whether they were stored whole', ['queue', 'stored']),
    trimmed: perQueue('tidings_stream_trimmed_events_total',
      'Events trimmed because the stream exceeded its size, by the queue whose leader trimmed them'),
    appendConflicts: perQueue('tidings_relay_append_conflicts_total',
      'Batches that another replica had relayed already'),
    repairedHistories: perQueue('tidings_relay_repaired_histories_total', 'User histories that had to be replaced'),
    projected: plain('tidings_projector_events_total', 'Events projected'),
    skipped: plain('tidings_projector_skipped_events_total', 'Malformed or refused events, skipped'),
    gaps: plain('tidings_projector_gaps_total', 'Times the stream was trimmed or lost before it was projected'),
    reconciled: labelled('tidings_reconciled_jobs_total',
      'Jobs changed after a comparison with BullMQ', ['queue', 'outcome']),
    enqueued: perQueue('tidings_outbox_added_jobs_total', 'Jobs that the outbox added to BullMQ'),
    removedJobs: plain('tidings_retention_removed_jobs_total', 'Finished jobs removed by retention'),
    droppedDays: plain('tidings_retention_dropped_days_total', 'Days of the timeline dropped by retention')
  }
}

/** How far the rows are behind the stream; measured on each scrape. */
export function projectorLag (registry: MetricsRegistry, lagMs: () => Promise<number>) {
  return new prom.Gauge({
    name: 'tidings_projector_lag_milliseconds',
    help: 'Age difference of the newest event and the newest projected event',
    registers: [registry],
    async collect () { this.set(await lagMs()) }
  })
}

/** The backlog of the relay; measured on each scrape, since a stalled relay would not report it. */
export function relayBacklog (
  registry: MetricsRegistry, queues: string[], backlog: (queue: string) => Promise<number | undefined>
) {
  return new prom.Gauge({
    name: 'tidings_relay_backlog_entries',
    help: 'Entries of BullMQ that are not relayed yet',
    labelNames: ['queue'] as const,
    registers: [registry],
    async collect () {
      await Promise.all(queues.map(async queue => {
        const entries = await backlog(queue)
        if (entries !== undefined) this.set({ queue }, entries)
      }))
    }
  })
}

type Size = { events: number, bytes: number }

/** The size of the stream; measured on each scrape. While it cannot be measured the last value stays. */
export function streamSize (registry: MetricsRegistry, size: () => Promise<Size | undefined>) {
  // Each gauge measures by itself, so that none depends on the other's collection.
  const gauge = (name: string, help: string, valueOf: (current: Size) => number) => new prom.Gauge({
    name,
    help,
    registers: [registry],
    async collect () {
      const current = await size()
      if (current) this.set(valueOf(current))
    }
  })
  gauge('tidings_stream_events', 'Events in the stream', ({ events }) => events)
  gauge('tidings_stream_bytes', 'Memory of Redis that the job-event stream uses', ({ bytes }) => bytes)
}

/** The number of waiting long polls; counted on each scrape. */
export function activeLongPolls (registry: MetricsRegistry, count: () => number) {
  return new prom.Gauge({
    name: 'tidings_long_polls_active',
    help: 'Requests that wait for a job to change',
    registers: [registry],
    collect () { this.set(count()) }
  })
}

/** Requests refused by load shedding. */
export function requestsShed (registry: MetricsRegistry) {
  return new prom.Counter({
    name: 'tidings_requests_shed_total', help: 'Requests refused because of overload', registers: [registry]
  })
}
