import { findExecutable, freePort, spawnServer, waitUntilReady } from '@tidings/dev-servers'
import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'
import { noteProcess } from './test-run.ts'

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 5000

/** Why a test that needs PgBouncer is skipped, false where it need not be. */
export const withoutPgbouncer: string | false = findExecutable(['pgbouncer']) === undefined
  ? 'pgbouncer is not installed'
  : false

type PoolOptions = {
  mode: 'session' | 'transaction' | 'statement'
  poolSize?: number
  settings?: Record<string, string>
}

/** A PgBouncer of the test's own in front of a database; resolves to its URL. */
export async function startPgbouncer (
  t: TestContext,
  database: string,
  { mode, poolSize = 40, settings = {} }: PoolOptions
): Promise<string> {
  const { hostname, port, username, pathname } = new URL(database)
  const folder = temporaryFolder(t, 'pgbouncer')
  const listening = await freePort()
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: String(listening),
    auth_type: 'any',
    unix_socket_dir: '',
    pool_mode: mode,
    default_pool_size: String(poolSize),
    ...settings
  }
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, [
    '[databases]', `* = host=${hostname} port=${port} user=${decodeURIComponent(username)}`,
    '[pgbouncer]', ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`), ''
  ].join('\n'))
  const user = ordinaryUser()
  if (user) chownSync(folder, user.uid, user.gid)
  const log = join(folder, 'pgbouncer.log')
  const server = await spawnServer({
    name: 'PgBouncer',
    command: findExecutable(['pgbouncer']) ?? 'pgbouncer',
    args: [
      file
    ],
    log,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS,
    ...user
  })
  noteProcess(server.process)
  t.teardown(server.stop)
  await waitUntilReady(server, {
    name: 'PgBouncer',
    log,
    timeoutMs: START_TIMEOUT_MS,
    isReady: () => listens(listening)
  })
  return `postgres://${username}@127.0.0.1:${listening}${pathname}`
}

/** PgBouncer refuses root. */
function ordinaryUser (): { uid: number, gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const nobody = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith('nobody:'))
    ?.split(':') ?? []
  return { uid: Number(nobody[2] ?? 65534), gid: Number(nobody[3] ?? 65534) }
}

async function listens (port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}
