import { prom, type MetricsRegistry } from '@tidings/service-kit'

export type Metrics = ReturnType<typeof createMetrics>

/** All metrics of this service, beside those of the process and the routes. */
export function createMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  return {
    sessions: new prom.Gauge({ name: 'tidings_realtime_sessions', help: 'Open sessions', labelNames: ['face'], registers }),
    connects: new prom.Counter({ name: 'tidings_realtime_connects_total', help: 'Sessions that were asked for', labelNames: ['face', 'outcome'], registers }),
    ends: new prom.Counter({ name: 'tidings_realtime_session_ends_total', help: 'Sessions that ended; `slow` are slow clients', labelNames: ['face', 'reason'], registers }),
    resumes: new prom.Counter({ name: 'tidings_realtime_resumes_total', help: 'Sessions that began, by what became of their resume', labelNames: ['outcome'], registers }),
    subscriptions: new prom.Counter({ name: 'tidings_realtime_subscribes_total', help: 'Subscriptions that were asked for', labelNames: ['outcome'], registers }),
    heldAnew: new prom.Counter({ name: 'tidings_realtime_held_anew_total', help: 'Times that more came while a client resumed than may wait, and its history was read on', registers }),
    refusedCommands: new prom.Counter({ name: 'tidings_realtime_refused_commands_total', help: 'Messages of clients that were refused; `size` and they are gone', labelNames: ['reason'], registers }),
    events: new prom.Counter({ name: 'tidings_realtime_events_total', help: 'Events that the tail read', registers }),
    malformed: new prom.Counter({ name: 'tidings_realtime_malformed_events_total', help: 'Events that no relay of ours wrote', registers }),
    malformedMessages: new prom.Counter({ name: 'tidings_realtime_malformed_messages_total', help: 'Messages between replicas that no replica sent', registers }),
    overtaken: new prom.Counter({ name: 'tidings_realtime_overtaken_total', help: 'Times the stream was trimmed, or begun anew, ahead of the tail', labelNames: ['reason'], registers }),
    deliveries: new prom.Counter({ name: 'tidings_realtime_deliveries_total', help: 'Frames of job events', labelNames: ['face'], registers }),
    spared: new prom.Counter({ name: 'tidings_realtime_spared_progress_total', help: 'Progress left out for slow clients because a newer one followed', registers }),
    lag: new prom.Histogram({
      name: 'tidings_realtime_delivery_lag_seconds',
      help: 'From the time of an event to its writing to the sessions of its owner',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers
    }),
    tailLag: new prom.Gauge({ name: 'tidings_realtime_tail_lag_seconds', help: 'For how long the stream has had an event that the tail has not', registers })
  }
}
