import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataFolder } from './data-folder.ts'
import { startOnPort } from './port.ts'
import { postgresBinaries, postgresEnvironment } from './postgres-binaries.ts'
import { createCluster } from './postgres-cluster.ts'
import { connectionUrl, prepareDatabase } from './postgres-database.ts'
import type { Role } from './postgres-database.ts'
import { disownStalePid, saysReady } from './postmaster-pid.ts'
import { ServerStartError, spawnServer, waitUntilReady } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'
import { serverUser } from './server-user.ts'
import type { ServerUser } from './server-user.ts'

const SUPERUSER = 'postgres'
const MAINTENANCE = 'postgres'
// Crash recovery replays at most max_wal_size (1 GiB) of log.
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 15_000
const BACKENDS_TIMEOUT_MS = 15_000
const BACKENDS_POLL_MS = 200

export interface PostgresOptions {
  /** Folder of the cluster, created by initdb if it is missing. It may become a link (see `dataFolder`). */
  dir: string
  /** A free one by default. */
  port?: number | undefined
  host?: string | undefined
  /** Created if it is missing; `url` names it. */
  database?: string | undefined
  /**
   * Owner of the cluster (default postgres) and the password, fixed at its creation. Without a password every local
   * connection is trusted.
   */
  user?: string | undefined
  password?: string | undefined
  /** An ordinary role that owns the database, created if it is missing, with this password; `url` then names it. */
  role?: Role | undefined
  log?: string | undefined
  /** More settings of postgresql.conf. */
  settings?: Record<string, string> | undefined
}

export interface PostgresServer extends ServerProcess {
  url: string
  host: string
  port: number
}

/** Starts a Postgres cluster (as another user if this is root) and resolves once it accepts connections. */
export async function startPostgres (options: PostgresOptions): Promise<PostgresServer> {
  const user = serverUser()
  const binaries = postgresBinaries(user)
  const data = dataFolder(options.dir, user)
  const host = options.host ?? '127.0.0.1'
  disownStalePid(data)
  return await startOnPort({ port: options.port, host, what: 'Postgres' }, async port => {
    if (!existsSync(join(data, 'PG_VERSION'))) {
      await createCluster({
        data,
        initdb: binaries.initdb,
        user,
        superuser: options.user ?? SUPERUSER,
        password: options.password,
        sync: options.settings?.fsync !== 'off'
      })
    }
    return await outlastBackends(() => startCluster(port, { options, host, data, command: binaries.postgres, user }))
  })
}

/** The backends of a killed postmaster end after a moment; until then a new one refuses to start. */
async function outlastBackends<T> (start: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + BACKENDS_TIMEOUT_MS; ;) {
    try {
      return await start()
    } catch (err) {
      const mayPass = err instanceof ServerStartError && err.message.includes('pre-existing shared memory block')
      if (!mayPass || Date.now() > deadline) throw err
      await sleep(BACKENDS_POLL_MS)
    }
  }
}

interface Cluster {
  options: PostgresOptions
  host: string
  data: string
  command: string
  user: ServerUser | undefined
}

async function startCluster (port: number, { options, host, data, command, user }: Cluster): Promise<PostgresServer> {
  const log = options.log ?? `${options.dir}.log`
  const server = await spawnServer({
    name: 'Postgres',
    command,
    args: ['-D', data, ...settingArguments({ ...options.settings, port: String(port), listen_addresses: host })],
    log,
    stopSignal: 'SIGINT', // fast shutdown: sessions are cut, the checkpoint is written
    stopTimeoutMs: STOP_TIMEOUT_MS,
    uid: user?.uid,
    gid: user?.gid,
    env: postgresEnvironment()
  })
  await waitUntilReady(server, {
    name: `Postgres at ${host}:${port}`,
    log,
    timeoutMs: START_TIMEOUT_MS,
    isReady: async () => saysReady(data, server.pid)
  })

  const { user: owner = SUPERUSER, password, role, database = MAINTENANCE } = options
  try {
    await prepareDatabase(connectionUrl({ host, port, database: MAINTENANCE, user: owner, password }), {
      database,
      role
    })
  } catch (err) {
    await server.stop()
    throw new ServerStartError(
      `Postgres at ${host}:${port} runs but cannot be used: ${(err as Error).message}. A cluster keeps the password it was made with; this one is ${options.dir}`,
      { cause: err }
    )
  }
  return { ...server, host, port, url: connectionUrl({ host, port, database, user: owner, password, ...role }) }
}

function settingArguments (settings: Record<string, string>): string[] {
  const all: Record<string, string> = {
    unix_socket_directories: '', // its path has a length limit that a deep checkout exceeds
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
