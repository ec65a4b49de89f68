import { ConfigError, LOG_LEVELS } from '@tidings/service-kit'

type LogLevel = typeof LOG_LEVELS[number]

export interface EdgeConfig {
  host: string
  port: number
  logLevel: LogLevel
  jobsApi: string
  gateways: string[]
  dispatcher: string
}

/** @throws ConfigError naming every fault */
export function readEdgeConfig (env: NodeJS.ProcessEnv): EdgeConfig {
  const faults: string[] = []
  const url = (name: string, value = env[name]): string => {
    if (value !== undefined && URL.canParse(value)) return value
    faults.push(`${name} must name URLs, and says ${value === undefined ? 'nothing' : JSON.stringify(value)}`)
    return ''
  }
  const config = {
    // Both of localhost's addresses: clients differ in which they try first.
    host: env.HOST || 'localhost',
    port: Number(env.PORT || 4000),
    logLevel: (env.LOG_LEVEL || 'info') as LogLevel,
    jobsApi: url('JOBS_API_URL'),
    gateways: (env.REALTIME_GATEWAY_URLS ?? '').split(',').map(each => url('REALTIME_GATEWAY_URLS', each.trim())),
    dispatcher: url('WEBHOOK_DISPATCHER_URL')
  }
  if (!Number.isInteger(config.port) || config.port < 0 || config.port > 65535) faults.push(`PORT must be a port, and says ${env.PORT}`)
  if (!LOG_LEVELS.includes(config.logLevel)) faults.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}
