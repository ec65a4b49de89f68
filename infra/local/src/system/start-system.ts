import { mkdirSync } from 'node:fs'
import { root } from '../root.ts'
import { ensureRedis } from '../setup/redis.ts'
import { createChildGroups } from './child-groups.ts'
import type { Child } from './child-groups.ts'
import { postgresServer, redisServer } from './data-servers.ts'
import type { DataServer } from './data-servers.ts'
import { watchLogs } from './log-watch.ts'
import { untilResponding, startNodeProcess } from './node-process.ts'
import { fixedPorts, freePorts, refuseUnusablePorts } from './ports.ts'
import type { Ports, WantedPort } from './ports.ts'
import { claimRunFiles } from './run-files.ts'
import { readSecrets } from './secrets.ts'
import { serviceProcesses } from './service-processes.ts'
import type { ServiceProcess } from './service-processes.ts'
import type { Supervised } from './supervise.ts'
import { tokenIssuer } from './tokens.ts'
import type { Tokens } from './tokens.ts'

export interface SystemOptions {
  /** The folder for data, logs, pid files and secrets. */
  folder: string
  /** The settings of the user (see .env.example); children get them and the variables that the system adds. */
  env?: NodeJS.ProcessEnv
  /** `fixed`: PORT and the ones after it; `free`: any, for a system beside others. */
  ports?: 'fixed' | 'free'
  gateways?: number
  /** Whether the sample CSV worker runs. */
  worker?: boolean
  /** Other scripts for `jobs-api`, `realtime-gateway`, `webhook-dispatcher`, `edge`, `csv-worker`. */
  entries?: Partial<Record<string, string>>
  report?: (line: string) => void
  /** Aborts the start. */
  signal?: AbortSignal
}

export interface System extends Tokens {
  /** `edge`, `redis`, `postgres` and each service, as in run/endpoints.json. */
  endpoints: Record<string, string>
  /** All children by the names of their pid files. */
  processes: Map<string, Supervised>
  /** A child by name; throws when there is none. */
  process: (name: string) => Supervised
  /** Ends all children, the data servers last. May be called twice. */
  stop: () => Promise<void>
}

/** Starts the whole system on this machine and resolves when every part is ready. */
export async function startSystem (options: SystemOptions): Promise<System> {
  const { folder, env = process.env, gateways = 1, report = () => {}, signal } = options
  const ports = options.ports === 'free' ? await freePorts(gateways) : fixedPorts(env, gateways)
  mkdirSync(folder, { recursive: true })
  const runFiles = await claimRunFiles(folder, report)
  const logs = watchLogs(folder, report)
  const groups = createChildGroups(runFiles, report)
  const stop = async () => {
    await groups.stop()
    logs.stop()
    runFiles.release()
  }
  const giveUp = () => { groups.stop().catch(err => report(String(err))) }

  signal?.addEventListener('abort', giveUp)
  try {
    const secrets = readSecrets(folder, env)
    const dataServers = {
      redis: await redisServer({ env, folder, ports, secrets, log: logs.file }),
      postgres: await postgresServer({ env, folder, ports, secrets, log: logs.file })
    }
    await refuseUnusablePorts(portsToTake(ports, dataServers))
    if (dataServers.redis.embedded !== undefined) await ensureRedis(report)

    const endpoints = { ...serviceEndpoints(ports), redis: dataServers.redis.url, postgres: dataServers.postgres.url }
    const { services, edge, worker } = serviceProcesses({
      env,
      ports,
      secrets,
      endpoints,
      root,
      entries: options.entries ?? {}
    })
    const nodeChild = (service: ServiceProcess) => nodeChildOf(service, logs.file(service.name))
    await groups.start(Object.entries(dataServers).flatMap(([name, server]) => dataServerChild(name, server)))
    await groups.start(services.map(nodeChild))
    await groups.start([nodeChild(edge)])
    if (options.worker !== false) await groups.start([nodeChild(worker)])

    runFiles.writeEndpoints(endpoints)
    return { endpoints, ...accessTo(groups.all()), ...tokenIssuer(secrets, env), stop }
  } catch (err) {
    await stop()
    throw err
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

function accessTo (children: Supervised[]): Pick<System, 'processes' | 'process'> {
  const processes = new Map(children.map(child => [child.name, child]))
  return {
    processes,
    process: name => {
      const found = processes.get(name)
      if (found === undefined) throw new Error(`There is no process ${name}, only ${[...processes.keys()].join(', ')}`)
      return found
    }
  }
}

function dataServerChild (name: string, { embedded }: DataServer): Child[] {
  // The start of a data server resolves only when it is ready.
  return embedded === undefined ? [] : [{ name, start: embedded.start, ready: async () => {} }]
}

function nodeChildOf ({ name, entry, env, readyUrl }: ServiceProcess, log: string): Child {
  return {
    name,
    start: () => startNodeProcess({ name, entry, env, log }),
    ready: async running => { if (readyUrl !== undefined) await untilResponding(readyUrl, { running, name, log }) }
  }
}

function serviceEndpoints ({ edge, jobsApi, gateways, dispatcher }: Ports): Record<string, string> {
  return {
    edge: `http://localhost:${edge}`,
    'jobs-api': `http://127.0.0.1:${jobsApi}`,
    ...Object.fromEntries(gateways.map((port, index) => [`realtime-gateway-${index + 1}`, `http://127.0.0.1:${port}`])),
    'webhook-dispatcher': `http://127.0.0.1:${dispatcher}`
  }
}

function portsToTake (ports: Ports, { redis, postgres }: { redis: DataServer, postgres: DataServer }): WantedPort[] {
  const services = [
    { name: 'edge', port: ports.edge },
    { name: 'jobs-api', port: ports.jobsApi },
    ...ports.gateways.map((port, index) => ({ name: `realtime-gateway-${index + 1}`, port })),
    { name: 'webhook-dispatcher', port: ports.dispatcher }
  ]
  const dataServers = Object.entries({ redis, postgres })
    .flatMap(([name, { embedded }]) => embedded === undefined ? [] : [{ name, port: embedded.port }])
  return [
    ...services.map(service => ({ ...service, speaksHttp: true })),
    ...dataServers.map(server => ({ ...server, speaksHttp: false }))
  ]
}
