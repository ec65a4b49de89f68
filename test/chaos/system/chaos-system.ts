import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import postgres, { type Sql } from 'postgres'
import {
  startPostgres, startRedis, TEST_SECRET, until, type TestContext, type TestRedis
} from '@tidings/testing'
import { nodeProcess, type NodeProcess } from './node-process.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const REPLICAS = [1, 2] as const
const serverOf = (service: string) =>
  fileURLToPath(new URL(`../../../services/${service}/src/server.ts`, import.meta.url))
const EDGE = fileURLToPath(new URL('../../../infra/local/src/edge.ts', import.meta.url))
const WORKER = fileURLToPath(new URL('../load/worker.ts', import.meta.url))
const SERVICES = ['jobs-api', 'realtime-gateway', 'webhook-dispatcher'] as const

export type ServiceName = typeof SERVICES[number]
export const QUEUES = ['default', 'own'] as const

/** A process with the network between it and the stores. */
export interface Replica extends NodeProcess {
  service: ServiceName
  redis: TcpProxy
  postgres: TcpProxy
}

export interface ChaosSystem {
  redis: TestRedis
  postgres: Awaited<ReturnType<typeof startPostgres>>
  replicas: Replica[]
  workers: NodeProcess[]
  edge: NodeProcess
  /** Between clients and edge, and between the edge and each service. */
  front: TcpProxy
  behind: Record<ServiceName, TcpProxy>
  /** The origin that clients use. */
  url: string
  /** Connections that no fault touches, for the truth, and for faults to find their victims. */
  admin: { redis: Redis, sql: Sql }
  of: (service: ServiceName) => Replica[]
  /** The replica that relays the queue. */
  relayLeader: (queue?: string) => Promise<Replica>
  /** The replica that reads a shard of the stream for webhooks. */
  shardReader: () => Promise<Replica>
}

export interface ChaosSystemOptions {
  workers: number
  /** More variables for the services. */
  env?: Record<string, string>
}

/**
 * Starts everything as processes: two replicas of each service behind the edge, and workers. Between them there are
 * TCP proxies, so that each part of the network can fail.
 */
export async function startChaosSystem (
  t: TestContext, { workers, env = {} }: ChaosSystemOptions
): Promise<ChaosSystem> {
  const [redis, database] = await Promise.all([
    startRedis(t, { appendonly: true }), startPostgres(t, { settings: { max_connections: '100' } })
  ])
  const admin = { redis: redis.client({ maxRetriesPerRequest: null }), sql: adminSql(t, database.url) }

  const replicas: Replica[] = []
  const of = (service: ServiceName) => replicas.filter(replica => replica.service === service)
  const portsOf = (service: ServiceName) => {
    const ports = of(service).flatMap(({ port }) => port ?? [])
    return ports.length > 1 && turn++ % 2 === 0 ? ports.toReversed() : ports
  }
  let turn = 0
  const behind = {
    'jobs-api': await startTcpProxy(t, () => portsOf('jobs-api')),
    'realtime-gateway': await startTcpProxy(t, () => portsOf('realtime-gateway')),
    'webhook-dispatcher': await startTcpProxy(t, () => portsOf('webhook-dispatcher'))
  }
  const urlOf = ({ port }: TcpProxy) => `http://127.0.0.1:${port}`
  const common = {
    ...settings(env),
    JOBS_API_URL: urlOf(behind['jobs-api']),
    WEBHOOK_DISPATCHER_URL: urlOf(behind['webhook-dispatcher'])
  }
  for (const service of SERVICES) {
    for (const n of REPLICAS) replicas.push(await replicaOf(t, { service, n, redis, database, env: common }))
  }

  const edge = nodeProcess(t, {
    name: 'edge',
    entry: EDGE,
    env: port => ({
      PORT: String(port),
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      JOBS_API_URL: urlOf(behind['jobs-api']),
      REALTIME_GATEWAY_URLS: urlOf(behind['realtime-gateway']),
      WEBHOOK_DISPATCHER_URL: urlOf(behind['webhook-dispatcher'])
    }),
    readyPath: '/livez'
  })
  const front = await startTcpProxy(t, () => edge.port === undefined ? [] : [edge.port])
  const workerProcesses = Array.from({ length: workers }, (_, n) => nodeProcess(t, {
    name: `worker-${n + 1}`, entry: WORKER, env: () => ({ REDIS_URL: redis.url, QUEUES: QUEUES.join(',') })
  }))

  await Promise.all([...replicas, edge, ...workerProcesses].map(async process => await process.start()))

  return {
    redis,
    postgres: database,
    replicas,
    workers: workerProcesses,
    edge,
    front,
    behind,
    url: urlOf(front),
    admin,
    of,
    relayLeader: async (queue = 'default') => await until(async () => {
      const lease = await admin.redis.get(`{tidings}:relay:${queue}:lease`)
      const connection = lease?.split(' ')[1]
      if (!connection) return undefined
      const port = /(?:^| )addr=\S+:(\d+)/.exec(await admin.redis.client('LIST', 'ID', connection) as string)?.[1]
      return of('jobs-api').find(replica => replica.redis.hasFarPort(Number(port)))
    }, { timeoutMs: 60_000, what: `a replica to relay ${queue}` }),
    shardReader: async () => await until(async () => {
      const readers = await admin.sql<{ host: string }[]>`
        select w.host from webhooks.shard_positions p join webhooks.workers w on w.id = p.worker_id
        where w.lease_until > now() order by p.shard`
      return of('webhook-dispatcher').find(({ port, pid }) =>
        port !== undefined && readers.some(({ host }) => host.endsWith(`:${pid}`)))
    }, { timeoutMs: 60_000, what: 'a replica to read the stream for webhooks' })
  }
}

function settings (env: Record<string, string>): Record<string, string> {
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    TOKEN_SECRET: TEST_SECRET,
    WEBHOOK_SECRET_KEY: 'a key for tests and nothing else',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    JOB_QUEUES: QUEUES.join(','),
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

interface ReplicaOptions {
  service: ServiceName
  n: number
  redis: TestRedis
  database: { url: string, port: number }
  env: Record<string, string>
}

async function replicaOf (t: TestContext, { service, n, redis, database, env }: ReplicaOptions): Promise<Replica> {
  const links = {
    redis: await startTcpProxy(t, () => [redis.port]), postgres: await startTcpProxy(t, () => [database.port])
  }
  const databaseUrl = new URL(database.url)
  databaseUrl.port = String(links.postgres.port)
  const process = nodeProcess(t, {
    name: `${service}-${n}`,
    entry: serverOf(service),
    env: port => ({
      ...env,
      DATABASE_URL: databaseUrl.href,
      REDIS_URL: `redis://127.0.0.1:${links.redis.port}`,
      HOST: '127.0.0.1',
      PORT: String(port)
    }),
    readyPath: '/readyz'
  })
  // Not a copy: its port and pid change.
  return Object.assign(process, { service, ...links })
}

function adminSql (t: TestContext, url: string): Sql {
  const sql = postgres(url, { max: 2, onnotice: () => {}, connect_timeout: 60 })
  t.teardown(() => sql.end({ timeout: 1 }))
  return sql
}
