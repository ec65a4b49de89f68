import envSchema from 'env-schema'
import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { jwtSettings } from '@tidings/contracts'
import { ConfigError } from './config-error.ts'
import { readOrigins } from './origins.ts'
import { postgresTarget } from './postgres/target.ts'
import { REDIS_URL_PATTERN, redisTarget } from './redis/target.ts'
import { redisUrl } from './redis/url.ts'

export { ConfigError }

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Variables that every service has. */
export const commonSettings = {
  ...jwtSettings,
  NODE_ENV: Type.Enum(['development', 'production', 'test'], {
    default: 'development', description: 'production has stricter defaults, and refuses short secrets'
  }),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on; 0.0.0.0 in containers' }),
  LOG_LEVEL: Type.Enum([...LOG_LEVELS], { default: 'info', description: 'Least severe level that is logged' }),
  CORS_ORIGIN: Type.Optional(Type.String({
    description: 'Origins that browsers may call from, separated by commas; default `*`, in production none'
  })),
  REDIS_URL: Type.Optional(Type.String({
    pattern: REDIS_URL_PATTERN,
    description: 'redis://, rediss://, redis+cluster://host:port,… or redis+sentinel://host:port,…/name/db; takes ' +
      'precedence over REDIS_HOST and REDIS_PORT'
  })),
  REDIS_HOST: Type.String({ default: '127.0.0.1', description: 'Host of Redis, if REDIS_URL is unset' }),
  REDIS_PORT: Type.Integer(
    { default: 6379, minimum: 1, maximum: 65535, description: 'Port of Redis, if REDIS_URL is unset' }
  ),
  REDIS_USERNAME: Type.Optional(Type.String({ description: 'For a URL without one' })),
  REDIS_PASSWORD: Type.Optional(Type.String({ description: 'For a URL without one' })),
  REDIS_TLS: Type.Optional(Type.Boolean({ description: 'TLS without a rediss:// URL' })),
  REDIS_CA_FILE: Type.Optional(
    Type.String({ description: 'PEM file of the authority that signed the certificate of Redis' })
  ),
  STALL_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 1,
    description: 'A consumer that does not advance for this long while its stream has more makes the service unready'
  })
}

/** The connection string of services that keep something in Postgres. */
export const postgresSettings = {
  DATABASE_URL: Type.String({
    pattern: '^postgres(ql)?://',
    description: 'postgres://user:password@host:port/database, with the parameters of libpq'
  }),
  POSTGRES_START_TIMEOUT_MS: Type.Integer({
    default: 60_000,
    minimum: 0,
    description: 'How long a start waits for an unavailable Postgres, not counting migrations'
  })
}

/** A port variable: 0 lets the system choose one. */
export const Port = (fallback: number) => Type.Integer({
  default: fallback, minimum: 0, maximum: 65535, description: 'Port to listen on'
})

export const CommonConfig = Type.Object(commonSettings)
export type CommonConfig = Static<typeof CommonConfig>

/** Former names of variables, which still work in this release. */
const RENAMED: Record<string, string> = { STANDSTILL_MS: 'STALL_TIMEOUT_MS' }

type Environment = Record<string, string | undefined>

/**
 * Reads and checks a service's variables, all at once and before anything is opened. `rules` adds checks that a schema
 * cannot express: each returned text is a fault. They also see an environment with faults, without the variables
 * concerned: with their defaults, or undefined where they have none.
 * @throws ConfigError naming every fault
 */
export function readConfig<Properties extends TProperties> (
  schema: TObject<Properties>,
  env: Environment,
  rules: (config: Static<TObject<Properties>>) => string[] = () => []
): Static<TObject<Properties>> {
  const given = present(env)
  const { config, faulty, faults } = parse(schema, given)
  const readable = config ?? parse(optional(schema, faulty), without(given, faulty)).config
  if (readable !== undefined) faults.push(...commonFaults(readable as CommonConfig), ...rules(readable))
  if (config === undefined || faults.length > 0) throw new ConfigError(faults)
  return config
}

function present (env: Environment): Record<string, string> {
  // An empty variable counts as unset, as compose files and shells write it.
  // A line break at the end comes from the file or pipe that the value was read from.
  const values = Object.entries(env).map(([name, value = '']) => [name, value.replace(/[\r\n]+$/, '')] as const)
  const given = Object.fromEntries(values.filter(([, value]) => value.trim() !== ''))
  return { ...renamed(given), ...given }
}

type Parsed<Properties extends TProperties> = {
  /** Undefined where there are faults. */
  config?: Static<TObject<Properties>>
  /** The variables with faults. */
  faulty: string[]
  faults: string[]
}

function parse<Properties extends TProperties> (
  schema: TObject<Properties>, data: Record<string, string>
): Parsed<Properties> {
  try {
    const config = envSchema<Static<TObject<Properties>>>({
      schema: structuredClone(schema),
      data,
      env: false,
      ajv: { customOptions: ajv => ajv.addFormat('url', (text: string) => URL.canParse(text)) }
    })
    return { config, faulty: [], faults: [] }
  } catch (err) {
    const faults = faultsOf(err)
    return { faulty: faults.map(({ name }) => name), faults: faults.map(({ text }) => text) }
  }
}

/** The schema for an environment without these variables. */
function optional<Properties extends TProperties> (
  schema: TObject<Properties>, names: string[]
): TObject<Properties> {
  const { required = [] } = schema as { required?: string[] }
  return { ...schema, required: required.filter(name => !names.includes(name)) } as typeof schema
}

function without (data: Record<string, string>, names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !names.includes(name)))
}

function renamed (given: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => RENAMED[name] ? [[RENAMED[name], value]] : [])
  )
}

type AjvFault = {
  instancePath: string
  message?: string
  params?: { allowedValues?: unknown[], missingProperty?: string }
}

function faultsOf (err: unknown): { name: string, text: string }[] {
  const { errors } = err as { errors?: AjvFault[] }
  if (!errors) throw err
  return errors.map(({ instancePath, message, params }) => {
    if (params?.missingProperty !== undefined) {
      return { name: params.missingProperty, text: `${params.missingProperty} is missing` }
    }
    const name = instancePath.slice(1)
    const allowed = params?.allowedValues ? ` (${params.allowedValues.join(', ')})` : ''
    return { name, text: `${name} ${message ?? 'is not valid'}${allowed}`.trim() }
  })
}

function commonFaults (config: CommonConfig): string[] {
  const { DATABASE_URL } = config as { DATABASE_URL?: string }
  const hasKey = config.TOKEN_SECRET !== undefined || config.JWKS_URL !== undefined
  return [
    ...(hasKey ? [] : ['TOKEN_SECRET or JWKS_URL must be set: without them no token can be verified']),
    ...secretFaults(config),
    ...keysUrlFaults(config),
    ...originFaults(config),
    ...redisTarget(redisUrl(config)).faults,
    ...(DATABASE_URL ? postgresTarget(DATABASE_URL).faults : [])
  ]
}

/** An HMAC key shorter than its hash can be guessed offline from a single token (RFC 7518 §3.2 asks for 32 bytes). */
const MIN_SECRET_BYTES = 32
const SECRETS = ['TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'WEBHOOK_SECRET_KEY'] as const

function secretFaults (config: CommonConfig): string[] {
  if (config.NODE_ENV !== 'production') return []
  const values = config as Partial<Record<typeof SECRETS[number], string>>
  return SECRETS.filter(name => Buffer.byteLength(values[name] ?? ' '.repeat(MIN_SECRET_BYTES)) < MIN_SECRET_BYTES)
    .map(name => `${name} must have at least ${MIN_SECRET_BYTES} bytes in production, ` +
      'for instance from `openssl rand -base64 32`')
}

/** An attacker who can change the response of JWKS_URL can sign tokens for any user. */
function keysUrlFaults ({ JWKS_URL, NODE_ENV }: CommonConfig): string[] {
  if (JWKS_URL === undefined) return []
  const { protocol, hostname } = new URL(JWKS_URL)
  if (protocol === 'https:') return []
  if (protocol !== 'http:') return [`JWKS_URL must be https://, not ${protocol}`]
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return NODE_ENV === 'production' && !isLocal
    ? ['JWKS_URL must be https:// in production: plain http:// can be manipulated in transit']
    : []
}

/** The origins that browsers may call from: true is any, an empty list none. */
export function corsOrigins (
  { CORS_ORIGIN, NODE_ENV }: Pick<CommonConfig, 'CORS_ORIGIN' | 'NODE_ENV'>
): true | string[] {
  const { origins } = readOrigins(CORS_ORIGIN ?? (NODE_ENV === 'production' ? '' : '*'))
  return origins.includes('*') ? true : origins
}

export function originFaults ({ CORS_ORIGIN = '' }: Pick<CommonConfig, 'CORS_ORIGIN'>): string[] {
  return readOrigins(CORS_ORIGIN).faults.map(fault => `CORS_ORIGIN: ${fault}`)
}

/** The JWT settings with their default: in production a token must expire. */
export function tokenSettings (config: CommonConfig) {
  return { ...config, JWT_REQUIRE_EXP: config.JWT_REQUIRE_EXP ?? config.NODE_ENV === 'production' }
}
