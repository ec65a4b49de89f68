import { Type, type Static } from 'typebox'
import { DEFAULT_BOUNDS } from '@tidings/job-events'
import { commonSettings, readConfig } from '@tidings/service-kit'

const DEFAULT_PORT = 4002

const AnyPort = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 65535, description }))
const Count = (fallback: number, description: string) => Type.Integer({ default: fallback, minimum: 1, description })

export const Settings = Type.Object({
  ...commonSettings,
  REALTIME_GATEWAY_PORT: AnyPort('Port; takes precedence over PORT'),
  PORT: AnyPort(`Port, ${DEFAULT_PORT} by default`),
  REALTIME_INTERNAL_PORT: AnyPort('Port of the admin server, which revokes sessions; off unless set'),
  REALTIME_INTERNAL_HOST: Type.String({
    default: '127.0.0.1',
    description: 'Address of the admin server, which requires no token'
  }),
  JOBS_API_URL: Type.String({
    default: 'http://127.0.0.1:4001',
    pattern: '^https?://',
    description: 'The jobs-api that answers POST /internal/find-jobs'
  }),
  HISTORY_TTL_MS: Count(DEFAULT_BOUNDS.historyTtlMs, 'How long the history of an idle user is kept; as in jobs-api'),

  REALTIME_MAX_MESSAGE_BYTES: Count(16 * 1024, 'Maximum size of a client\'s message'),
  REALTIME_MAX_SESSIONS: Count(100, 'Maximum number of sessions of a user, over all replicas'),
  REALTIME_MAX_SUBSCRIPTIONS: Count(1000, 'Maximum number of jobs that a session subscribes to'),
  REALTIME_COMMANDS_PER_SECOND: Count(100,
    'Commands per second of a session; a burst may be twice that, and one of subscriptions as large as their maximum'),
  REALTIME_UNKNOWN_JOB_MS: Count(60_000, 'How long a subscription waits for an unknown job before it is refused'),
  REALTIME_CONNECTS_PER_SECOND: Count(500,
    'New sessions per second of a replica, of clients with a valid token; a burst may be twice that'),
  REALTIME_UNSENT_BYTES: Count(1024 * 1024, 'Unsent bytes of a session before superseded progress is dropped'),
  REALTIME_UNSENT_PACKETS: Count(1000, 'The same in packets'),
  REALTIME_SLOW_MS: Count(10_000, 'How long a session may stay above that before it is closed as slow'),
  REALTIME_HELD_EVENTS: Count(1000, 'Live events buffered while a session resumes; beyond, its history is read again'),
  REALTIME_DRAIN_MS: Count(10_000, 'Over how long sessions are closed on SIGTERM'),
  REALTIME_MAX_LAG_MS: Count(10_000, 'A replica that is further behind the stream is not ready')
})

export type Config = Static<typeof Settings> & { port: number }

/** @throws ConfigError that names every fault */
export function loadConfig (env: Record<string, string | undefined>): Config {
  const settings = readConfig(Settings, env)
  return { ...settings, port: settings.REALTIME_GATEWAY_PORT ?? settings.PORT ?? DEFAULT_PORT }
}

declare module 'fastify' {
  interface FastifyInstance { config: Config }
}
