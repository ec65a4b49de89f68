import { join } from 'node:path'
import type { Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'

const SECRETS = ['TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'WEBHOOK_SECRET_KEY', 'WEBHOOK_SECRET_KEYS', 'DATABASE_URL']

export interface ServiceProcess {
  name: string
  entry: string
  env: NodeJS.ProcessEnv
  /** Responds with 2xx once the process is ready. */
  readyUrl?: string
}

interface ServicesOptions {
  env: NodeJS.ProcessEnv
  ports: Ports
  secrets: Secrets
  endpoints: Record<string, string>
  root: string
  entries: Partial<Record<string, string>>
}

/** The processes beside the data servers: the three services, the edge in front of them, and the sample worker. */
export function serviceProcesses ({ env, ports, secrets, endpoints, root, entries }: ServicesOptions) {
  const common = serviceEnvironment({ env, secrets, endpoints })
  const service = (kind: string, { name = kind, variable, port }: {
    name?: string,
    variable: string,
    port: number
  }): ServiceProcess => ({
    name,
    entry: entries[kind] ?? join(root, 'services', kind, 'src', 'server.ts'),
    env: { ...common, [variable]: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`
  })

  return {
    services: [
      service('jobs-api', { variable: 'JOBS_API_PORT', port: ports.jobsApi }),
      ...ports.gateways.map((port, index) => service('realtime-gateway', {
        name: `realtime-gateway-${index + 1}`,
        variable: 'REALTIME_GATEWAY_PORT',
        port
      })),
      service('webhook-dispatcher', { variable: 'WEBHOOK_DISPATCHER_PORT', port: ports.dispatcher })
    ],
    edge: {
      name: 'edge',
      entry: entries.edge ?? join(root, 'infra', 'local', 'src', 'edge.ts'),
      env: {
        ...withoutSecrets(env),
        PORT: String(ports.edge),
        JOBS_API_URL: endpoints['jobs-api'],
        REALTIME_GATEWAY_URLS: ports.gateways.map((_, index) => endpoints[`realtime-gateway-${index + 1}`]).join(','),
        WEBHOOK_DISPATCHER_URL: endpoints['webhook-dispatcher']
      },
      readyUrl: `http://127.0.0.1:${ports.edge}/livez`
    },
    worker: {
      name: 'csv-worker',
      entry: entries['csv-worker'] ?? join(root, 'examples', 'csv-worker', 'src', 'worker.ts'),
      env: { ...withoutSecrets(env), REDIS_URL: endpoints.redis, JOB_QUEUE: 'default' }
    }
  } satisfies { services: ServiceProcess[], edge: ServiceProcess, worker: ServiceProcess }
}

function serviceEnvironment (
  { env, secrets, endpoints }: Pick<ServicesOptions, 'env' | 'secrets' | 'endpoints'>
): NodeJS.ProcessEnv {
  // PORT is the port of the edge, and REDIS_URL replaces REDIS_HOST and REDIS_PORT.
  const { PORT: _port, REDIS_HOST: _host, REDIS_PORT: _redisPort, ...given } = env
  return {
    WEBHOOK_ALLOW_PRIVATE: 'true', // a receiver on this machine is the normal case here
    ...given,
    HOST: '127.0.0.1',
    TOKEN_SECRET: secrets.TOKEN_SECRET,
    REFRESH_TOKEN_SECRET: secrets.REFRESH_TOKEN_SECRET,
    WEBHOOK_SECRET_KEY: secrets.WEBHOOK_SECRET_KEY,
    DATABASE_URL: endpoints.postgres,
    REDIS_URL: endpoints.redis,
    JOBS_API_URL: endpoints['jobs-api'],
    WEBHOOK_DISPATCHER_URL: endpoints['webhook-dispatcher']
  }
}

/** The edge and the worker need no secrets, since they verify and store nothing. */
function withoutSecrets (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRETS.includes(name)))
}
