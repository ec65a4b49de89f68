import { execFile } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import type { Sql } from 'postgres'
import { dataFolder } from './data-folder.ts'
import { startOnPort } from './port.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { commandOf } from './process-table.ts'
import { ServerStartError, spawnServer, waitUntilReady } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'
import { serverUser } from './server-user.ts'
import type { ServerUser } from './server-user.ts'

const SUPERUSER = 'postgres'
const MAINTENANCE = 'postgres'
const INITDB_TIMEOUT_MS = 120_000
// Crash recovery replays at most max_wal_size (1 GiB) of log.
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 15_000
const BACKENDS_TIMEOUT_MS = 15_000
const BACKENDS_POLL_MS = 200

const run = promisify(execFile)

export interface PostgresOptions {
  /** Folder of the cluster, made by initdb when missing. May become a link (see `dataFolder`). */
  dir: string
  /** A free one when not given. */
  port?: number | undefined
  host?: string | undefined
  /** Made when missing; `url` leads to it. */
  database?: string | undefined
  /** Who owns the cluster (default postgres), and the password. Fixed when it is made; without a password every local connection is trusted. */
  user?: string | undefined
  password?: string | undefined
  /** Another superuser, made when missing and given this password; `url` is then his. */
  role?: { user: string, password: string } | undefined
  log?: string | undefined
  /** More settings of postgresql.conf. */
  settings?: Record<string, string> | undefined
}

export interface PostgresServer extends ServerProcess {
  url: string
  host: string
  port: number
}

/** Starts a Postgres cluster of its own (as another user when this is root) and resolves once it takes connections. */
export async function startPostgres (options: PostgresOptions): Promise<PostgresServer> {
  const user = serverUser()
  const binaries = postgresBinaries(user)
  const data = dataFolder(options.dir, user)
  const host = options.host ?? '127.0.0.1'
  disownStalePid(data)
  return await startOnPort({ port: options.port, host, what: 'Postgres' }, async port => {
    if (!existsSync(join(data, 'PG_VERSION'))) await createCluster({ options, data, binaries, user })
    return await outlastBackends(() => startCluster(port, { options, host, data, binaries, user }))
  })
}

/** Backends of a postmaster that was killed need a moment to notice; until then the new one refuses to start. */
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

interface Cluster { options: PostgresOptions, host: string, data: string, binaries: PostgresBinaries, user: ServerUser | undefined }

async function startCluster (port: number, { options, host, data, binaries, user }: Cluster): Promise<PostgresServer> {
  const log = options.log ?? `${options.dir}.log`
  const server = await spawnServer({
    name: 'Postgres',
    command: binaries.postgres,
    args: ['-D', data, ...settingArguments({ ...options.settings, port: String(port), listen_addresses: host })],
    log,
    stopSignal: 'SIGINT', // fast shutdown: sessions are cut, the checkpoint is written
    stopTimeoutMs: STOP_TIMEOUT_MS,
    uid: user?.uid,
    gid: user?.gid,
    env: environment()
  })
  await waitUntilReady(server, { name: `Postgres at ${host}:${port}`, log, timeoutMs: START_TIMEOUT_MS, isReady: async () => saysReady(data, server.pid) })

  const { user: owner = SUPERUSER, password, role, database = MAINTENANCE } = options
  try {
    await prepare(connectionUrl({ host, port, database: MAINTENANCE, user: owner, password }), { database, role })
  } catch (err) {
    await server.stop()
    throw new ServerStartError(`Postgres at ${host}:${port} runs but cannot be used: ${(err as Error).message}. A cluster keeps the password it was made with; this one is ${options.dir}`, { cause: err })
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

/** Made beside its place and moved there when whole: an initdb that was cut short leaves nothing half done. */
async function createCluster ({ options, data, binaries, user }: Omit<Cluster, 'host'>): Promise<void> {
  const { password } = options
  const synced = options.settings?.fsync !== 'off'
  const unfinished = `${data}.new`
  const passwordFile = `${data}.password`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  if (password !== undefined) writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user !== undefined) {
    chownSync(unfinished, user.uid, user.gid)
    if (password !== undefined) chownSync(passwordFile, user.uid, user.gid)
  }
  try {
    await run(binaries.initdb, [
      '--pgdata', unfinished,
      '--username', options.user ?? SUPERUSER,
      '--encoding', 'UTF8',
      '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', // the same on every machine
      ...(synced ? [] : ['--no-sync']),
      ...(password === undefined ? ['--auth', 'trust'] : ['--auth', 'scram-sha-256', '--pwfile', passwordFile])
    ], { timeout: INITDB_TIMEOUT_MS, cwd: '/', env: environment(), ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }) })
    rmSync(data, { recursive: true, force: true })
    renameSync(unfinished, data)
    chmodSync(data, 0o700)
  } catch (err) {
    rmSync(unfinished, { recursive: true, force: true })
    throw new ServerStartError(`initdb failed: ${initdbMessage(err)}`, { cause: err })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

function initdbMessage (err: unknown): string {
  const { stderr, message } = err as { stderr?: string, message: string }
  return stderr?.trim() || message
}

/** Messages in English whatever the machine speaks, and no PG* variable of the caller leads Postgres astray. */
function environment (): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

/**
 * Postgres takes a postmaster.pid whose number belongs to some other process by now (a killed container, a reboot) for
 * a running server and refuses to start. Only one that really serves this folder is in the way. The file is not
 * removed but given our own number, which Postgres knows for its parent's and stale: the shared memory that the file
 * also names still has to be free of the dead server's backends.
 */
function disownStalePid (data: string): void {
  const file = join(data, 'postmaster.pid')
  if (!existsSync(file)) return
  const content = readFileSync(file, 'utf8')
  const pid = Number.parseInt(content, 10)
  const command = commandOf(pid)
  if (command === undefined) return
  if (command.includes(data)) throw new ServerStartError(`a Postgres server already runs on ${data} (pid ${pid})`)
  writeFileSync(file, content.replace(/^.*/, String(process.pid)))
}

/** The server's own word, from the file that pg_ctl waits on too. */
function saysReady (data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

interface Connection { host: string, port: number, database: string, user: string, password: string | undefined }

function connectionUrl ({ host, port, database, user, password }: Connection): string {
  const url = new URL('postgres://localhost')
  url.hostname = host.includes(':') ? `[${host}]` : host
  url.port = String(port)
  url.username = user
  url.password = password ?? ''
  url.pathname = database
  return url.href
}

async function prepare (url: string, { database, role }: { database: string, role: PostgresOptions['role'] }): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} })
  try {
    if (role !== undefined) await prepareRole(sql, role)
    const found = await sql`select from pg_database where datname = ${database}`
    if (found.length === 0) await sql`create database ${sql(database)}`
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function prepareRole (sql: Sql, { user, password }: { user: string, password: string }): Promise<void> {
  const found = await sql`select from pg_roles where rolname = ${user}`
  if (found.length === 0) await sql`create role ${sql(user)}`
  // A utility statement takes no parameters, so Postgres itself quotes the password.
  const [statement] = await sql<[{ text: string }]>`select format('alter role %I login superuser password %L', ${user}::text, ${password}::text) as text`
  await sql.unsafe(statement.text)
}
