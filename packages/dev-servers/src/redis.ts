import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { startOnPort } from './port.ts'
import { redisExecutable } from './redis-executable.ts'
import { spawnServer, waitUntilReady } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'

// An append-only file of a gigabyte loads in well under a minute on a small machine.
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000
const PING_TIMEOUT_MS = 1_000

export interface RedisOptions {
  /** Folder of the data and, without `log`, of redis.log. Created if it is missing. */
  dir: string
  /** A free one by default. */
  port?: number | undefined
  host?: string | undefined
  /** Append-only file, synced every second. True by default: the guarantees of Tidings assume it. */
  appendonly?: boolean | undefined
  log?: string | undefined
  /** Required from every client. Kept in a file that only its owner can read, since everyone sees arguments. */
  password?: string | undefined
  /** More directives of redis.conf. */
  settings?: Record<string, string> | undefined
}

export interface RedisServer extends ServerProcess {
  url: string
  host: string
  port: number
}

/** Starts redis-server (or valkey-server) and resolves once it replies to PING. */
export async function startRedis (options: RedisOptions): Promise<RedisServer> {
  const command = await redisExecutable()
  const host = options.host ?? '127.0.0.1'
  mkdirSync(options.dir, { recursive: true })
  chmodSync(options.dir, 0o700) // Redis makes its files readable for all
  return await startOnPort(
    { port: options.port, host, what: 'Redis' },
    port => startOn(port, { options, command, host })
  )
}

async function startOn (
  port: number,
  { options, command, host }: { options: RedisOptions, command: string, host: string }
): Promise<RedisServer> {
  const log = options.log ?? join(options.dir, 'redis.log')
  const server = await spawnServer({
    name: 'Redis',
    command,
    args: redisArguments(options, host, port),
    log,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS
  })
  await waitUntilReady(server, {
    name: `Redis at ${host}:${port}`,
    log,
    timeoutMs: START_TIMEOUT_MS,
    isReady: () => answersPing(host, port)
  })
  return { ...server, host, port, url: urlOf({ host, port, password: options.password }) }
}

function urlOf ({ host, port, password }: { host: string, port: number, password: string | undefined }): string {
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  return `redis://${login}${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The password's own configuration file; none without one. */
function passwordFile ({ dir, password }: RedisOptions): string[] {
  if (password === undefined) return []
  const file = join(dir, 'login.conf')
  writeFileSync(file, `requirepass ${JSON.stringify(password)}\n`, { mode: 0o600 })
  chmodSync(file, 0o600) // one that was there keeps its mode
  return [file]
}

function redisArguments (options: RedisOptions, host: string, port: number): string[] {
  const directives: Record<string, string> = {
    port: String(port),
    bind: host,
    dir: options.dir,
    appendonly: options.appendonly === false ? 'no' : 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    // Arguments are readable in the process table: a later start recognizes its orphan by its folder.
    'set-proc-title': 'no',
    ...options.settings
  }
  return [...passwordFile(options), ...Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value])]
}

/** True once the server has loaded its data: until then it replies to PING with -LOADING. */
async function answersPing (host: string, port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect({ host, port })
    const done = (answered: boolean) => { socket.destroy(); resolve(answered) }
    socket.setTimeout(PING_TIMEOUT_MS, () => done(false))
    socket.once('error', () => done(false))
    socket.once('data', data => done(/^(\+PONG|-NOAUTH)/.test(data.toString('latin1'))))
    socket.once('connect', () => socket.write('PING\r\n'))
  })
}
