import { ConfigError, LOG_LEVELS, originFaults } from '@tidings/service-kit'
import { readDashboardConfig, type DashboardConfig } from './dashboard-config.ts'

type LogLevel = typeof LOG_LEVELS[number]
type NodeEnv = 'development' | 'production' | 'test'

export interface EdgeConfig {
  host: string
  port: number
  logLevel: LogLevel
  jobsApi: string
  gateways: string[]
  dispatcher: string
  dashboard: DashboardConfig
  /** How long a request waits for a service that is down. */
  holdMs: number
  /** How many requests may wait at a time; more are refused at once. */
  heldMax: number
  /** The origins whose pages may read responses of the edge itself; the services decide for theirs. */
  CORS_ORIGIN?: string
  NODE_ENV: NodeEnv
}

/** @throws ConfigError that lists all faults */
export function readEdgeConfig (env: NodeJS.ProcessEnv): EdgeConfig {
  const faults: string[] = []
  const url = (name: string, value = env[name]): string => {
    if (value !== undefined && URL.canParse(value)) return value
    faults.push(`${name} must be a URL, ${value === undefined ? 'but is not set' : `not ${JSON.stringify(value)}`}`)
    return ''
  }
  const count = (name: string, fallback: number): number => {
    const value = Number(env[name] || fallback)
    if (!Number.isInteger(value) || value < 0) faults.push(`${name} must be a whole number, not ${env[name]}`)
    return value
  }
  const config: EdgeConfig = {
    // Both addresses of localhost, since clients differ in which one they try first.
    host: env.HOST || 'localhost',
    port: Number(env.PORT || 4000),
    logLevel: (env.LOG_LEVEL || 'info') as LogLevel,
    jobsApi: url('JOBS_API_URL'),
    gateways: (env.REALTIME_GATEWAY_URLS ?? '').split(',').map(each => url('REALTIME_GATEWAY_URLS', each.trim())),
    dispatcher: url('WEBHOOK_DISPATCHER_URL'),
    dashboard: readDashboardConfig(env, faults),
    holdMs: count('EDGE_HOLD_MS', 10_000),
    heldMax: count('EDGE_HELD_MAX', 1000),
    ...(env.CORS_ORIGIN && { CORS_ORIGIN: env.CORS_ORIGIN }),
    NODE_ENV: (env.NODE_ENV || 'development') as NodeEnv
  }
  if (!Number.isInteger(config.port) || config.port < 0 || config.port > 65535) {
    faults.push(`PORT must be a port, not ${env.PORT}`)
  }
  if (!LOG_LEVELS.includes(config.logLevel)) faults.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  faults.push(...originFaults(config))
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}
