import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findExecutable } from './executable.ts'

const OLDEST_MAJOR = 7
const run = promisify(execFile)

export class MissingRedisError extends Error {
  constructor (reason: string) {
    super(`${reason}. Tidings needs Redis ${OLDEST_MAJOR}.0 or newer, or Valkey; install it with ${installCommand()}`)
    this.name = 'MissingRedisError'
  }
}

/** The Redis (or Valkey) server on PATH, if its version is sufficient. */
export async function redisExecutable (path = process.env.PATH ?? ''): Promise<string> {
  const file = findExecutable(['redis-server', 'valkey-server'], path)
  if (file === undefined) throw new MissingRedisError('Neither redis-server nor valkey-server is on PATH')
  const { stdout } = await run(file, ['--version'], { timeout: 10_000 })
  const major = Number(/v=(\d+)/.exec(stdout)?.[1])
  // Gap detection needs the number of entries ever added, which streams report since 7.0.
  if (!(major >= OLDEST_MAJOR)) throw new MissingRedisError(`${file} is too old (${stdout.trim()})`)
  return file
}

function installCommand (): string {
  if (process.platform === 'darwin') return '`brew install redis`'
  if (findExecutable(['apk']) !== undefined) return '`apk add redis`'
  if (findExecutable(['dnf']) !== undefined) return '`sudo dnf install redis`'
  return '`sudo apt-get install redis-server`'
}
