import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { postgresEnvironment } from './postgres-binaries.ts'
import { ServerStartError } from './server-process.ts'
import type { ServerUser } from './server-user.ts'

const INITDB_TIMEOUT_MS = 120_000

const run = promisify(execFile)

interface NewCluster {
  /** Its folder; an existing one is replaced. */
  data: string
  initdb: string
  /** The system user that runs initdb and Postgres; that of this process by default. */
  user: ServerUser | undefined
  superuser: string
  /** Without one every local connection is trusted. */
  password: string | undefined
  /** Whether the files are synced to disk. */
  sync: boolean
}

/** Created beside its place and renamed when complete: an interrupted initdb leaves nothing behind. */
export async function createCluster ({ data, initdb, user, superuser, password, sync }: NewCluster): Promise<void> {
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
    await run(initdb, [
      '--pgdata', unfinished,
      '--username', superuser,
      '--encoding', 'UTF8',
      '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', // the same on every machine
      ...(sync ? [] : ['--no-sync']),
      ...(password === undefined ? ['--auth', 'trust'] : ['--auth', 'scram-sha-256', '--pwfile', passwordFile])
    ], {
      timeout: INITDB_TIMEOUT_MS,
      cwd: '/',
      env: postgresEnvironment(),
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid })
    })
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
