import { Type, type Static } from 'typebox'
import { commonSettings, egressSettings, postgresSettings, readConfig } from '@tidings/service-kit'
import { DURATION_PATTERN } from './duration.ts'

const DEFAULT_PORT = 4003

const Duration = (fallback: string, description: string) => Type.String({
  pattern: `^${DURATION_PATTERN}$`, default: fallback, description
})
// Without a default, so that PORT applies where the service's own variable is not set.
const Port = Type.Integer({
  minimum: 0, maximum: 65535, description: 'Port to listen on, default 4003; WEBHOOK_DISPATCHER_PORT takes precedence'
})
const Count = (fallback: number, description: string) => Type.Integer({
  minimum: 1, maximum: 1_000_000, default: fallback, description
})

export const Config = Type.Object({
  ...commonSettings,
  ...postgresSettings,
  ...egressSettings,
  WEBHOOK_DISPATCHER_PORT: Type.Optional(Port),
  PORT: Type.Optional(Port),
  WEBHOOK_SECRET_KEY: Type.String({
    minLength: 16,
    description: 'Encrypts the signing secrets at rest: any random text, for instance from `openssl rand -base64 32`'
  }),
  WEBHOOK_SECRET_KEYS: Type.Optional(Type.String({
    description: 'Former values of WEBHOOK_SECRET_KEY, or the next one during a change, with commas: they only decrypt'
  })),
  WEBHOOK_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    maximum: 60_000,
    default: 10_000,
    description: 'Deadline of an attempt, from the connect to the end of the response'
  }),
  WEBHOOK_RETRY_SCHEDULE: Type.String({
    pattern: `^${DURATION_PATTERN}(,${DURATION_PATTERN})*$`,
    default: '1s,10s,60s',
    description: 'Pauses between attempts; after the last the delivery has failed'
  }),
  WEBHOOK_PROXY_URL: Type.Optional(Type.String({
    pattern: '^http://([^@/?#\\s]*@)?[^@/?#\\s]+/?$',
    description: 'HTTP proxy (CONNECT) that all deliveries go through, http://user:password@host:port'
  })),
  WEBHOOK_PROXY_DNS: Type.Boolean({
    default: false,
    description: 'Lets the proxy resolve names: it must refuse private networks, since nothing else does'
  }),
  WEBHOOK_CA_FILE: Type.Optional(Type.String({
    description: 'Certificates of private authorities, in PEM, trusted in addition to the public ones'
  })),
  WEBHOOK_RETRY_AFTER_MAX: Duration('1h', 'The longest Retry-After that is honoured'),
  WEBHOOK_PROGRESS_LAG: Duration(
    '5s', 'Progress that has waited longer at a slow endpoint is superseded by newer progress'
  ),
  WEBHOOK_DISABLE_AFTER: Duration('5d', 'An endpoint that has only failed for this long is disabled'),
  WEBHOOK_RECOVERY_WINDOW: Type.String({
    pattern: `^(0|${DURATION_PATTERN})$`,
    default: '24h',
    description: 'Completions and failures that failed this recently are due again when their endpoint recovers; ' +
      '0: never'
  }),
  WEBHOOK_MAX_PER_USER: Count(50, 'Webhooks of one user'),
  WEBHOOK_MAX_PER_ENDPOINT: Count(10, 'Attempts in flight to one webhook, from each replica'),
  WEBHOOK_MAX_PER_ORIGIN: Count(50, 'Attempts in flight to one origin, from each replica'),
  WEBHOOK_MAX_IN_FLIGHT: Count(500, 'Attempts in flight in all, from each replica'),
  WEBHOOK_LEASE: Duration(
    '15s', 'Claims of a replica expire after this time without renewal; after two seconds if its process has ended'
  ),
  WEBHOOK_DELIVERY_RETENTION: Duration('30d', 'How long deliveries and attempts are kept'),
  WEBHOOK_PAYLOAD_RETENTION: Duration('14d', 'How long payloads are kept: what can be replayed'),
  INGEST_SHARDS: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: 1,
    description: 'Shards of the stream, each read by one replica; the same number for all replicas'
  }),
  HANDLER_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 15_000,
    description: 'A request that takes longer is waiting for a dependency, and gets a 503'
  }),
  RATE_LIMIT_MAX: Type.Integer({
    minimum: 0, default: 600, description: 'Requests of one user a minute; 0: any number'
  })
})
export type Config = Static<typeof Config>

/** @throws ConfigError naming every fault of the environment */
export function loadConfig (env: NodeJS.ProcessEnv): Config {
  return readConfig(Config, env)
}

export function address ({ HOST, WEBHOOK_DISPATCHER_PORT, PORT }: Config): { host: string, port: number } {
  return { host: HOST, port: WEBHOOK_DISPATCHER_PORT ?? PORT ?? DEFAULT_PORT }
}

/** The key that encrypts secrets, and those that only decrypt. */
export function secretKeys ({ WEBHOOK_SECRET_KEY, WEBHOOK_SECRET_KEYS = '' }: Config): [string, ...string[]] {
  return [WEBHOOK_SECRET_KEY, ...WEBHOOK_SECRET_KEYS.split(',').map(key => key.trim()).filter(Boolean)]
}
