import { TEST_SECRET } from '@tidings/testing'
import type { ChaosRedis } from './chaos-redis.ts'

/** The settings of all services: short leases and schedules, and nothing that would hide a lost event. */
export function settings (
  queues: readonly string[], { prefix }: Pick<ChaosRedis, 'prefix'>, env: Record<string, string>
): Record<string, string> {
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    TOKEN_SECRET: TEST_SECRET,
    WEBHOOK_SECRET_KEY: 'a key for tests and nothing else',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    JOB_QUEUES: queues.map(queue => `${prefix}:${queue}`).join(','),
    RATE_LIMIT_MAX: '0',
    LEASE_MS: '1500',
    WEBHOOK_LEASE: '3s',
    REALTIME_DRAIN_MS: '500',
    // Everything that BullMQ wrote stays readable: it is the truth.
    RELAY_EVENTS_BEHIND: '10000000',
    // A comparison with BullMQ would hide a lost event.
    RECONCILE_SILENT_MS: '3600000',
    SWEEP_AGE_MS: '500',
    HISTORY_LENGTH: '10000',
    // Deliveries that merely wait, as all do for a while, are not superseded; at a failing endpoint progress is.
    WEBHOOK_PROGRESS_LAG: '1h',
    WEBHOOK_RETRY_SCHEDULE: '500ms,1s,2s,4s,8s,16s',
    ...env
  }
}
