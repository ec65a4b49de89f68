import envSchema from 'env-schema'
import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { jwtSettings } from '@tidings/contracts'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Variables that every service has. */
export const commonSettings = {
  ...jwtSettings,
  NODE_ENV: Type.Enum(['development', 'production', 'test'], { default: 'development' }),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on; 0.0.0.0 in containers' }),
  LOG_LEVEL: Type.Enum([...LOG_LEVELS], { default: 'info' }),
  CORS_ORIGIN: Type.Optional(Type.String({ description: 'Origins that browsers may call from, separated by commas; `*` outside production, none in it' })),
  REDIS_URL: Type.Optional(Type.String({ pattern: '^rediss?://', description: 'redis:// or rediss://; goes before REDIS_HOST and REDIS_PORT' })),
  REDIS_HOST: Type.String({ default: '127.0.0.1' }),
  REDIS_PORT: Type.Integer({ default: 6379, minimum: 1, maximum: 65535 })
}

/** The connection string of services that keep something in Postgres. */
export const postgresSettings = {
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://', description: 'postgres://user:password@host:port/database' })
}

/** A port variable: 0 lets the system choose one. */
export const Port = (fallback: number) => Type.Integer({ default: fallback, minimum: 0, maximum: 65535 })

export const CommonConfig = Type.Object(commonSettings)
export type CommonConfig = Static<typeof CommonConfig>

/** All faults of the environment, one a line. */
export class ConfigError extends Error {
  constructor (faults: string[]) {
    super(`Configuration is not valid:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
  }
}

type Environment = Record<string, string | undefined>

/**
 * Reads and checks a service's variables, in one go and before anything opens.
 * `rules` adds what a schema can't say: each returned text is a fault.
 * @throws ConfigError naming every fault
 */
export function readConfig<Properties extends TProperties> (
  schema: TObject<Properties>,
  env: Environment,
  rules: (config: Static<TObject<Properties>>) => string[] = () => []
): Static<TObject<Properties>> {
  const config = parse(schema, env)
  const faults = [...commonFaults(config as CommonConfig), ...rules(config)]
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

function parse<Properties extends TProperties> (schema: TObject<Properties>, env: Environment) {
  // An empty variable is an unset one: that is how compose files and shells write it.
  const data = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  try {
    return envSchema<Static<TObject<Properties>>>({
      schema: structuredClone(schema),
      data,
      env: false,
      ajv: { customOptions: ajv => ajv.addFormat('url', (text: string) => URL.canParse(text)) }
    })
  } catch (err) {
    throw new ConfigError(faultsOf(err))
  }
}

type AjvFault = { instancePath: string, message?: string, params?: { allowedValues?: unknown[] } }

function faultsOf (err: unknown): string[] {
  const { errors } = err as { errors?: AjvFault[] }
  if (!errors) throw err
  return errors.map(({ instancePath, message, params }) => {
    const allowed = params?.allowedValues ? ` (${params.allowedValues.join(', ')})` : ''
    return `${instancePath.slice(1)} ${message ?? 'is not valid'}${allowed}`.trim()
  })
}

function commonFaults (config: CommonConfig): string[] {
  return config.TOKEN_SECRET || config.JWKS_URL ? [] : ['TOKEN_SECRET or JWKS_URL must be set: without one no token can be verified']
}

/** Where Redis is. */
export function redisUrl ({ REDIS_URL, REDIS_HOST, REDIS_PORT }: CommonConfig): string {
  return REDIS_URL ?? `redis://${REDIS_HOST}:${REDIS_PORT}`
}

/** The origins that browsers may call from: true is any, an empty list none. */
export function corsOrigins ({ CORS_ORIGIN, NODE_ENV }: CommonConfig): true | string[] {
  const origins = (CORS_ORIGIN ?? (NODE_ENV === 'production' ? '' : '*')).split(',').map(origin => origin.trim()).filter(Boolean)
  return origins.includes('*') ? true : origins
}

/** The JWT settings with their default: in production a token must end. */
export function tokenSettings (config: CommonConfig) {
  return { ...config, JWT_REQUIRE_EXP: config.JWT_REQUIRE_EXP ?? config.NODE_ENV === 'production' }
}
