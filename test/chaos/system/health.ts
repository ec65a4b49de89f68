import type { ChaosSystem, Replica } from './chaos-system.ts'

const TIMEOUT_MS = 5000
/** What the runbook looks at, without the prefix `tidings_`. */
export const WATCHED = [
  'relay_backlog_entries', 'relay_lost_entries_total', 'relay_append_conflicts_total', 'outbox_added_jobs_total',
  'reconciled_jobs_total', 'projector_lag_milliseconds', 'projector_gaps_total', 'requests_shed_total',
  'realtime_sessions', 'realtime_resumes_total', 'realtime_tail_lag_seconds', 'realtime_delivery_lag_seconds',
  'realtime_stream_gaps_total', 'webhook_fan_out_lag_seconds', 'webhook_fan_out_shards', 'webhook_oldest_due_seconds',
  'webhook_own_faults_total', 'webhook_in_flight', 'webhook_attempts_total', 'webhook_latency_seconds',
  'webhook_recovered_total', 'loop_silent_seconds', 'loop_steps_given_up_total'
]
/** Lines of other metrics, and those that say nothing: a loop waits a moment for each of its steps. */
const LINE = new RegExp(
  `^(tidings_(${WATCHED.join('|')})(_sum|_count)?|process_(open|max)_fds|nodejs_heap_size_used_bytes)[ {]`
)
const NOTHING = / 0$|^tidings_loop_silent_seconds.* 0\.\d+$/

/** A line for each replica: its readiness, and the watched metrics that are not zero. */
export async function healthLines ({ replicas }: ChaosSystem): Promise<string[]> {
  return await Promise.all(replicas.map(async replica => {
    const [ready, metrics] = await Promise.all([get(replica, '/readyz'), get(replica, '/metrics')])
    return `    ${replica.name}: ${ready} ${watched(metrics).join(' ')}`
  }))
}

async function get ({ port }: Replica, path: string): Promise<string> {
  if (port === undefined) return 'is not there'
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return `${response.status} ${await response.text()}`
  } catch (err) {
    return `does not respond: ${(err as Error).message}`
  }
}

function watched (metrics: string): string[] {
  return metrics.split('\n').filter(line => LINE.test(line) && !NOTHING.test(line))
}
