import { Type, type Static } from 'typebox'
import { DEFAULT_BOUNDS, type StreamBounds } from '@tidings/job-events'
import {
  commonSettings, egressSettings, Port, postgresSettings, readConfig, redisTarget, redisUrl
} from '@tidings/service-kit'
import { jobQueuesOf, queueFaults } from './job-queues.ts'

const DEFAULT_PORT = 4001
const SAME_SECRET = 'REFRESH_TOKEN_SECRET must differ from TOKEN_SECRET: a refresh token would pass for an access token'

const PORT_RANGE = { minimum: 0, maximum: 65535, description: 'Takes precedence over PORT' }

const integer = (minimum: number) => (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum, description })
const Milliseconds = integer(1)
const Count = integer(1)
const Limit = integer(0)

export const Settings = Type.Object({
  ...commonSettings,
  ...postgresSettings,
  ...egressSettings,
  JOBS_API_PORT: Type.Optional(Type.Integer(PORT_RANGE)),
  PORT: Port(DEFAULT_PORT),
  REFRESH_TOKEN_SECRET: Type.Optional(Type.String({
    minLength: 1, description: 'Secret of refresh tokens; without it `POST /auth/refresh` is off'
  })),
  JOB_QUEUES: Type.String({
    default: 'default',
    description: 'BullMQ queues to relay, separated by commas, each with its prefix and a colon unless that is bull; ' +
      'the first is the default of a submit'
  }),
  POSTGRES_CONNECTIONS: Count(10, 'Connections to Postgres'),
  RATE_LIMIT_MAX: Limit(6000, 'Requests that a user may make per minute; 0: no limit'),
  JOBS_OPEN_MAX_PER_USER: Limit(100_000, 'Waiting, delayed and active jobs that a user may have; 0: no limit'),
  WEBHOOK_DISPATCHER_URL: Type.String({
    default: 'http://127.0.0.1:4003',
    pattern: '^https?://',
    description: 'The webhook-dispatcher that redelivers in bulk'
  }),
  REQUESTS_MAX: Count(2000, 'Requests in progress at a time, except for long polls; more are refused with 503'),
  EVENT_LOOP_DELAY_MAX_MS: Limit(
    1000, 'Requests are refused with 503 while the event loop is this late, on average over a second; 0: no limit'
  ),
  HANDLER_TIMEOUT_MS: Milliseconds(15_000, 'A request that takes longer gets a 503: a dependency does not answer'),
  BODIES_PER_USER: Count(100, 'Request bodies that a user may send at a time'),
  LONG_POLLS_MAX: Count(5000, 'Requests with `?wait` that may wait at a time'),
  LONG_POLLS_PER_USER: Count(100, 'Requests with `?wait` of one user that may wait at a time'),
  ACCESS_TOKEN_TTL_MS: Milliseconds(15 * 60_000, 'Lifetime of an access token from `POST /auth/refresh`'),
  REFRESH_TOKEN_TTL_MS: Milliseconds(30 * 24 * 3_600_000, 'Lifetime of a refresh token from `POST /auth/refresh`'),

  JOB_RETENTION_DAYS: Count(30, 'Finished jobs and their timelines are removed after so many days'),
  JOB_DATA_VISIBLE: Type.Boolean({
    default: true, description: 'Whether `GET /jobs/{jobId}?include=data` shows what jobs were submitted with'
  }),
  JOBS_KEEP_FINISHED_MS: Type.Integer({
    default: 4 * 3_600_000,
    minimum: 60_000,
    description: 'How long BullMQ keeps finished jobs in Redis: about 1.3 kB for each, and its data and result'
  }),
  JOBS_KEEP_FINISHED_COUNT: Limit(0, 'Completed, and failed, jobs of a queue that BullMQ keeps at most; 0: no limit'),
  LOST_JOBS: Type.Enum(['fail', 'rerun'], {
    default: 'fail', description: 'Whether a job that had started when Redis lost it fails or runs again'
  }),

  RELAY_BATCH: Type.Integer({
    default: 200, minimum: 1, maximum: 1000, description: 'Entries of one relay batch: 200 block Redis for about 2 ms'
  }),
  RELAY_BATCH_BYTES: Count(1024 * 1024, 'Bytes of one relay batch'),
  RELAY_EVENTS_AHEAD: Count(1_000_000, 'Entries that BullMQ keeps for a relay that is away'),
  RELAY_EVENTS_BEHIND: Count(10_000, 'Relayed entries that are kept for other readers'),
  RELAY_TRIM_MS: Milliseconds(10_000, 'How often relayed entries are trimmed'),
  OWNER_CACHE: Count(50_000, 'Jobs whose owner is cached'),
  LEASE_MS: Milliseconds(5000, 'How long a replica that does not respond keeps its leases'),

  SWEEP_INTERVAL_MS: Milliseconds(1000, 'How often the outbox is checked for jobs that Redis did not accept'),
  SWEEP_AGE_MS: Milliseconds(2000, 'Age from which a job without an event counts as not accepted'),
  RECONCILE_INTERVAL_MS: Milliseconds(30_000, 'How often silent jobs are compared with BullMQ'),
  RECONCILE_SILENT_MS: Milliseconds(300_000, 'An open job without an event for so long is silent'),
  ERASURE_INTERVAL_MS: Milliseconds(2000, 'How often pending erasures of users are processed'),
  ERASURE_QUIET_MS: Milliseconds(10_000, 'An erasure is finished once no data of the user was found for so long'),
  RETENTION_INTERVAL_MS: Milliseconds(60_000, 'How often finished jobs are removed'),

  STREAM_RETENTION_MS: Milliseconds(DEFAULT_BOUNDS.retentionMs, 'Age of the oldest job event in the stream'),
  STREAM_MAX_BYTES: Count(DEFAULT_BOUNDS.maxBytes, 'Size of the stream in Redis'),
  HISTORY_LENGTH: Count(DEFAULT_BOUNDS.historyLength, 'Events of a user from which a session can resume'),
  HISTORY_TTL_MS: Milliseconds(DEFAULT_BOUNDS.historyTtlMs, 'How long the history of a user without events is kept'),
  FINALITY_TTL_MS: Milliseconds(DEFAULT_BOUNDS.finalityTtlMs, 'How long late progress of a finished job is dropped')
})

export type Config = Static<typeof Settings> & {
  /** The port to listen on. */
  port: number
  /** The BullMQ queues; the first is the default. */
  queues: [string, ...string[]]
  /** The prefixes of their keys in Redis. */
  queuePrefixes: Record<string, string>
}

/** @throws ConfigError that lists all faults */
export function loadConfig (env: Record<string, string | undefined>): Config {
  const settings = readConfig(Settings, env, faultsOf)
  const queues = jobQueuesOf(settings.JOB_QUEUES)
  return {
    ...settings,
    port: settings.JOBS_API_PORT ?? settings.PORT,
    queues: queues.map(({ name }) => name) as Config['queues'],
    queuePrefixes: Object.fromEntries(queues.map(({ name, prefix }) => [name, prefix]))
  }
}

/** The bounds of the stream that this service writes. */
export function streamBounds (config: Config): StreamBounds {
  return {
    retentionMs: config.STREAM_RETENTION_MS,
    maxBytes: config.STREAM_MAX_BYTES,
    historyLength: config.HISTORY_LENGTH,
    historyTtlMs: config.HISTORY_TTL_MS,
    finalityTtlMs: config.FINALITY_TTL_MS
  }
}

function faultsOf (settings: Static<typeof Settings>): string[] {
  const { TOKEN_SECRET, REFRESH_TOKEN_SECRET } = settings
  return [
    ...(TOKEN_SECRET && TOKEN_SECRET === REFRESH_TOKEN_SECRET ? [SAME_SECRET] : []),
    ...queueFaults(jobQueuesOf(settings.JOB_QUEUES), { isCluster: redisTarget(redisUrl(settings)).kind === 'cluster' })
  ]
}
