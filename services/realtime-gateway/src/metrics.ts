import fp from 'fastify-plugin'
import { prom, type MetricsRegistry } from '@tidings/service-kit'

export type Metrics = ReturnType<typeof createMetrics>

/** Decorates `app.meters`: the metrics of this service. */
export const realtimeMetrics = fp(async function realtimeMetrics (app) {
  app.decorate('meters', createMetrics(app.metricsRegistry))
}, { name: 'realtime-metrics', dependencies: ['metrics'] })

/** All metrics of this service, besides those of the process and the routes. */
function createMetrics (registry: MetricsRegistry) {
  const registers = [registry]
  return {
    sessions: new prom.Gauge({
      name: 'tidings_realtime_sessions',
      help: 'Open sessions',
      labelNames: ['transport'],
      registers
    }),
    connects: new prom.Counter({
      name: 'tidings_realtime_connects_total',
      help: 'Requests for a session, by outcome',
      labelNames: ['transport', 'outcome'],
      registers
    }),
    ends: new prom.Counter({
      name: 'tidings_realtime_session_ends_total',
      help: 'Sessions that ended; the reason `slow` counts slow clients',
      labelNames: ['transport', 'reason'],
      registers
    }),
    resumes: new prom.Counter({
      name: 'tidings_realtime_resumes_total',
      help: 'Sessions that started, by the outcome of their resume',
      labelNames: ['outcome'],
      registers
    }),
    subscriptions: new prom.Counter({
      name: 'tidings_realtime_subscribes_total',
      help: 'Requests for a subscription, by outcome',
      labelNames: ['outcome'],
      registers
    }),
    rebuffered: new prom.Counter({
      name: 'tidings_realtime_rebuffers_total',
      help: 'Times the buffer of a resuming client overflowed and its history was read further',
      registers
    }),
    refusedCommands: new prom.Counter({
      name: 'tidings_realtime_refused_commands_total',
      help: 'Refused messages of clients; the reason `size` also ends the connection',
      labelNames: ['reason'],
      registers
    }),
    events: new prom.Counter({
      name: 'tidings_realtime_events_total',
      help: 'Events that the stream tail read',
      registers
    }),
    malformed: new prom.Counter({
      name: 'tidings_realtime_malformed_events_total',
      help: 'Stream entries that are not job events',
      registers
    }),
    malformedMessages: new prom.Counter({
      name: 'tidings_realtime_malformed_messages_total',
      help: 'Messages on the channels between replicas and of bulk actions that no service sent',
      registers
    }),
    streamGaps: new prom.Counter({
      name: 'tidings_realtime_stream_gaps_total',
      help: 'Times the stream was trimmed, or restarted, ahead of the stream tail',
      labelNames: ['reason'],
      registers
    }),
    deliveries: new prom.Counter({
      name: 'tidings_realtime_deliveries_total',
      help: 'Frames of job events written to clients',
      labelNames: ['transport'],
      registers
    }),
    droppedProgress: new prom.Counter({
      name: 'tidings_realtime_dropped_progress_total',
      help: 'Progress events dropped for slow clients because newer progress of the same job followed',
      registers
    }),
    lag: new prom.Histogram({
      name: 'tidings_realtime_delivery_lag_seconds',
      help: 'From the time of an event until it is written to the sessions of its owner',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers
    }),
    tailLag: new prom.Gauge({
      name: 'tidings_realtime_tail_lag_seconds',
      help: 'For how long the stream has had an event that the stream tail has not delivered',
      registers
    })
  }
}

declare module 'fastify' {
  interface FastifyInstance { meters: Metrics }
}
