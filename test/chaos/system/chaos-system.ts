import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import postgres, { type Sql } from 'postgres'
import { until, withoutStandby, type TestContext } from '@tidings/testing'
import { startChaosPostgres, type ChaosPostgres } from './chaos-postgres.ts'
import { startChaosRedis, type ChaosRedis, type RedisKind } from './chaos-redis.ts'
import { createClocks, faketimeLibrary, type Clocks } from './clocks.ts'
import { nodeProcess, type NodeProcess } from './node-process.ts'
import { settings } from './settings.ts'
import { canMount, mountSmallDisk, type SmallDisk } from './small-disk.ts'
import { ownsPort } from './socket-owner.ts'
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

/**
 * What a fault can need: a form of Redis, a disk that can be filled, clocks that can be set, limits that can be changed
 * while a process runs, a Postgres that can have a standby.
 */
export type Ability = RedisKind | 'disk' | 'clocks' | 'prlimit' | 'standby'

export interface ChaosSystem {
  redis: ChaosRedis
  postgres: ChaosPostgres
  /** What this system has, where a fault needs it. */
  abilities: ReadonlySet<Ability>
  /** The disk of Postgres, where it has one of its own. */
  disk: SmallDisk | undefined
  /** The clocks of services and workers, where they can be set. */
  clocks: Clocks | undefined
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
  /** `single` by default. */
  redis?: RedisKind
  /** Gives it a disk and clocks of its own, as far as this machine can. */
  abilities?: readonly ('disk' | 'clocks')[]
  /** More variables for the services. */
  env?: Record<string, string>
}

/**
 * Starts everything as processes: two replicas of each service behind the edge, and workers. Between them there are
 * TCP proxies, so that each part of the network can fail.
 */
export async function startChaosSystem (
  t: TestContext, { workers, redis: kind = 'single', abilities = [], env = {} }: ChaosSystemOptions
): Promise<ChaosSystem> {
  const disk = abilities.includes('disk') && canMount() ? mountSmallDisk(t) : undefined
  const library = abilities.includes('clocks') ? faketimeLibrary() : undefined
  const clocks = library === undefined ? undefined : createClocks(t, library)
  const [redis, database] = await Promise.all([
    startChaosRedis(t, kind), startChaosPostgres(t, disk?.folder)
  ])
  const admin = { redis: redis.connect(), sql: adminSql(t, database.url) }

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
    ...settings(QUEUES, redis, env),
    JOBS_API_URL: urlOf(behind['jobs-api']),
    WEBHOOK_DISPATCHER_URL: urlOf(behind['webhook-dispatcher'])
  }
  for (const service of SERVICES) {
    for (const n of REPLICAS) replicas.push(await replicaOf(t, { service, n, redis, database, clocks, env: common }))
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
  const workerProcesses = Array.from({ length: workers }, (_, n) => {
    const name = `worker-${n + 1}`
    const env = { REDIS_URL: redis.url, PREFIX: redis.prefix, QUEUES: QUEUES.join(','), ...clocks?.env(name) }
    return nodeProcess(t, { name, entry: WORKER, env: () => env })
  })

  await Promise.all([...replicas, edge, ...workerProcesses].map(async process => await process.start()))

  return {
    redis,
    postgres: database,
    abilities: new Set<Ability>([
      kind,
      ...disk ? ['disk' as const] : [],
      ...clocks ? ['clocks' as const] : [],
      ...existsSync('/usr/bin/prlimit') ? ['prlimit' as const] : [],
      ...withoutStandby === false ? ['standby' as const] : []
    ]),
    disk,
    clocks,
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
      // In a Cluster a lease names no connection: one of those that run.
      if (lease && kind === 'cluster') return of('jobs-api').find(({ port }) => port !== undefined)
      if (!connection) return undefined
      const port = /(?:^| )addr=\S+:(\d+)/.exec(await admin.redis.client('LIST', 'ID', connection) as string)?.[1]
      return of('jobs-api').find(replica => kind === 'single'
        ? replica.redis.hasFarPort(Number(port))
        : replica.port !== undefined && ownsPort(replica.pid, Number(port)))
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

interface ReplicaOptions {
  service: ServiceName
  n: number
  redis: ChaosRedis
  database: ChaosPostgres
  clocks: Clocks | undefined
  env: Record<string, string>
}

async function replicaOf (
  t: TestContext, { service, n, redis, database, clocks, env }: ReplicaOptions
): Promise<Replica> {
  const name = `${service}-${n}`
  const clock = clocks?.env(name)
  const links = {
    redis: await startTcpProxy(t, () => redis.server ? [redis.server.port] : []),
    postgres: await startTcpProxy(t, () => [database.serverPort])
  }
  const databaseUrl = new URL(database.url)
  databaseUrl.port = String(links.postgres.port)
  const process = nodeProcess(t, {
    name,
    entry: serverOf(service),
    env: port => ({
      ...env,
      ...clock,
      DATABASE_URL: databaseUrl.href,
      // Sentinel and Cluster name addresses of their own, so there is no proxy between.
      REDIS_URL: redis.server ? `redis://127.0.0.1:${links.redis.port}` : redis.url,
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
