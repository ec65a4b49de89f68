import { Type, type Static } from 'typebox'
import { DEFAULT_BOUNDS, type StreamBounds } from '@tidings/job-events'
import { commonSettings, egressSettings, Port, postgresSettings, readConfig, redisTarget, redisUrl } from '@tidings/service-kit'
import { jobQueuesOf, queueFaults } from './job-queues.ts'

const DEFAULT_PORT = 4001

const PORT_RANGE = { minimum: 0, maximum: 65535, description: 'Goes before PORT' }

const Milliseconds = (fallback: number, description: string) => Type.Integer({ default: fallback, minimum: 1, description })
const Count = (fallback: number, description: string) => Type.Integer({ default: fallback, minimum: 1, description })

export const Settings = Type.Object({
  ...commonSettings,
  ...postgresSettings,
  ...egressSettings,
  JOBS_API_PORT: Type.Optional(Type.Integer(PORT_RANGE)),
  PORT: Port(DEFAULT_PORT),
  REFRESH_TOKEN_SECRET: Type.Optional(Type.String({ minLength: 1, description: 'Secret of refresh tokens; without it `POST /auth/refresh` is off' })),
  JOB_QUEUES: Type.String({ default: 'default', description: 'BullMQ queues to follow, separated by commas, each after its prefix and a colon where that is not bull; the first is the default of a submit' }),
  POSTGRES_CONNECTIONS: Count(10, 'Connections to Postgres'),
  RATE_LIMIT_MAX: Type.Integer({ default: 6000, minimum: 0, description: 'Requests that a user may make in a minute; 0: any number' }),
  JOBS_OPEN_MAX_PER_USER: Type.Integer({ default: 100_000, minimum: 0, description: 'Waiting, delayed and active jobs that a user may have; 0: any number' }),
  REQUESTS_MAX: Count(2000, 'Requests in hand at a time, long polls left aside; more are refused with 503'),
  HANDLER_TIMEOUT_MS: Milliseconds(15_000, 'A request that takes longer waits for something that does not answer, and gets a 503'),
  BODIES_PER_USER: Count(100, 'Request bodies of one user that may be on their way at a time'),
  LONG_POLLS_MAX: Count(5000, 'Requests with `?wait` that may be held at a time'),
  LONG_POLLS_PER_USER: Count(100, 'Requests with `?wait` of one user that may be held at a time'),
  ACCESS_TOKEN_TTL_MS: Milliseconds(15 * 60_000, 'Life of an access token that `POST /auth/refresh` gives'),
  REFRESH_TOKEN_TTL_MS: Milliseconds(30 * 24 * 3_600_000, 'Life of a refresh token that `POST /auth/refresh` gives'),

  JOB_RETENTION_DAYS: Count(30, 'Finished jobs and their timelines are removed after so many days'),
  JOBS_KEEP_FINISHED_MS: Type.Integer({ default: 4 * 3_600_000, minimum: 60_000, description: 'How long BullMQ keeps finished jobs in Redis, about 1.3 kB each and their data and result' }),
  JOBS_KEEP_FINISHED_COUNT: Type.Integer({ default: 0, minimum: 0, description: 'How many finished jobs of a queue BullMQ keeps at most, completed and failed ones each; 0: any number' }),
  LOST_JOBS: Type.Enum(['fail', 'rerun'], { default: 'fail', description: 'What becomes of a job that had started when Redis lost it' }),

  RELAY_BATCH: Type.Integer({ default: 200, minimum: 1, maximum: 1000, description: 'Entries that the relay moves at a time: 200 hold Redis for about 2 ms' }),
  RELAY_BATCH_BYTES: Count(1024 * 1024, 'Bytes that the relay moves at a time'),
  RELAY_EVENTS_AHEAD: Count(1_000_000, 'Entries that BullMQ keeps for a relay that is away'),
  RELAY_EVENTS_BEHIND: Count(10_000, 'Entries that are kept behind the relay for other readers'),
  RELAY_TRIM_MS: Milliseconds(10_000, 'How often what was relayed is trimmed'),
  OWNER_CACHE: Count(50_000, 'Jobs whose owner is remembered'),
  LEASE_MS: Milliseconds(5000, 'How long a silent replica keeps its part of the work'),

  SWEEP_INTERVAL_MS: Milliseconds(1000, 'How often jobs that Redis did not take are looked for'),
  SWEEP_AGE_MS: Milliseconds(2000, 'Age from which a job without an event counts as not taken'),
  RECONCILE_INTERVAL_MS: Milliseconds(30_000, 'How often silent jobs are looked for'),
  RECONCILE_SILENT_MS: Milliseconds(300_000, 'An open job that told nothing for so long is compared with BullMQ'),
  ERASURE_INTERVAL_MS: Milliseconds(2000, 'How often pending erasures of users are worked on'),
  ERASURE_QUIET_MS: Milliseconds(10_000, 'An erasure is finished once nothing of the user was found for so long'),
  RETENTION_INTERVAL_MS: Milliseconds(60_000, 'How often finished jobs are removed'),

  STREAM_RETENTION_MS: Milliseconds(DEFAULT_BOUNDS.retentionMs, 'Age of the oldest job event in the stream'),
  STREAM_MAX_BYTES: Count(DEFAULT_BOUNDS.maxBytes, 'Size of the stream in Redis'),
  HISTORY_LENGTH: Count(DEFAULT_BOUNDS.historyLength, 'Events of a user that a session can resume from'),
  HISTORY_TTL_MS: Milliseconds(DEFAULT_BOUNDS.historyTtlMs, 'How long the history of a silent user stays'),
  FINALITY_TTL_MS: Milliseconds(DEFAULT_BOUNDS.finalityTtlMs, 'How long late progress of a finished job is dropped')
})

export type Config = Static<typeof Settings> & {
  /** Where to listen. */
  port: number
  /** The BullMQ queues; the first is the default. */
  queues: [string, ...string[]]
  /** What their keys in Redis begin with. */
  queuePrefixes: Record<string, string>
}

/** @throws ConfigError naming every fault */
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
    ...(TOKEN_SECRET && TOKEN_SECRET === REFRESH_TOKEN_SECRET ? ['REFRESH_TOKEN_SECRET must differ from TOKEN_SECRET: a refresh token would pass for an access token'] : []),
    ...queueFaults(jobQueuesOf(settings.JOB_QUEUES), { isCluster: redisTarget(redisUrl(settings)).kind === 'cluster' })
  ]
}
